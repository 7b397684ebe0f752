import { setTimeout as sleep } from 'node:timers/promises';
import type { Lines } from '../../shared/logger.ts';

const BUGS = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * Repeats a write to Redis until it is taken. What a provider confirmed must not be forgotten because Redis refuses
 * for a while (OOM, READONLY, NOREPLICAS, a restart); the engine itself would not try again.
 * @throws what no repetition cures: a bug of ours met before Redis was asked.
 */
export async function persist<T>(logger: Lines, what: string, write: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await write();
    } catch (err) {
      if (BUGS.some((bug) => err instanceof bug)) throw err;
      logger.warn({ err, what, tries }, 'record.write_refused');
      await sleep(Math.min(100 * 2 ** Math.min(tries, 5), 3_000));
    }
  }
}
