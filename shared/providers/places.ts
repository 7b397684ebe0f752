/**
 * A fair bound on calls in flight in this process: first come, first served, and no provider host may hold more than
 * half of the places, so that a host that hangs cannot take them all.
 */
export type Places = {
  take(host: string): Promise<() => void>;
  /** How many are free, and how many calls wait for one. */
  state(): { free: number; waiting: number };
};

type Waiter = { host: string; enter: () => void };

export function createPlaces(total: number): Places {
  const perHost = Math.max(1, Math.ceil(total / 2));
  const held = new Map<string, number>();
  // Waiters stand in the order of arrival; one whose host is full is passed over, not moved back.
  const waiting: Waiter[] = [];
  let free = total;

  const fits = (host: string) => free > 0 && (held.get(host) ?? 0) < perHost;

  function occupy(host: string): () => void {
    free--;
    held.set(host, (held.get(host) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      free++;
      const left = (held.get(host) ?? 1) - 1;
      if (left === 0) held.delete(host);
      else held.set(host, left);
      const next = waiting.findIndex((waiter) => fits(waiter.host));
      if (next >= 0) waiting.splice(next, 1)[0]?.enter();
    };
  }

  return {
    state: () => ({ free, waiting: waiting.length }),

    take(host) {
      if (fits(host)) return Promise.resolve(occupy(host));
      const { promise, resolve } = Promise.withResolvers<() => void>();
      waiting.push({ host, enter: () => resolve(occupy(host)) });
      return promise;
    },
  };
}
