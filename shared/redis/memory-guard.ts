import type { Logger } from '../logger.ts';
import type { RedisClient } from './connect.ts';

/** Part of `maxmemory` above which nothing new is accepted: at 100 % Redis refuses the writes that end jobs. */
const FULL = 0.8;

export type MemoryGuard = { isFull(): boolean; check(): Promise<void> };

/** Watches how full Redis is. Without a `maxmemory` it never is. */
export function createMemoryGuard(redis: RedisClient, logger: Logger): MemoryGuard {
  let full = false;
  return {
    isFull: () => full,
    /** Reads the state anew; call it every second or two. */
    async check() {
      const info = await redis.info('memory');
      const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
      const max = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
      const isFull = max > 0 && used > max * FULL;
      if (isFull !== full)
        logger.warn({ used_bytes: used, max_bytes: max }, isFull ? 'redis.full' : 'redis.room');
      full = isFull;
    },
  };
}
