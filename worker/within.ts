/**
 * What a promise comes to within `ms`, else undefined: also when it fails. For what is better left out than waited for; the promise
 * goes on by itself.
 */
export function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, undefined);
    promise.then(resolve, () => resolve(undefined)).finally(() => clearTimeout(timer));
  });
}
