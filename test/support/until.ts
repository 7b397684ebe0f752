import { setTimeout as delay } from 'node:timers/promises';

type Options = {
  /** Milliseconds after which waiting is given up. */
  withinMs?: number;
  everyMs?: number;
};

/**
 * Waits until `condition` gives something truthy and returns it. For states that can only be looked at; where
 * something can be awaited, await it.
 * @throws Error naming `what`, with the last error of `condition`, when the deadline passes.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { withinMs = 10_000, everyMs = 20 }: Options = {},
): Promise<NonNullable<T>> {
  const deadline = Date.now() + withinMs;
  let cause: unknown;
  while (true) {
    try {
      const value = await condition();
      if (value) return value;
      cause = undefined;
    } catch (err) {
      cause = err;
    }
    if (Date.now() >= deadline) break;
    await delay(everyMs);
  }
  throw new Error(`Not within ${withinMs} ms: ${what}`, { cause });
}
