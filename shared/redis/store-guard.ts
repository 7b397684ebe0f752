import type { Logger } from '../logger.ts';
import type { RedisClient } from './connect.ts';
import { type DurabilityDemand, isDurableEnough, readDurability } from './durability.ts';

/** Part of `maxmemory` above which nothing new is accepted: at 100 % Redis refuses the writes that end jobs. */
const FULL = 0.8;

export type StoreGuard = {
  isFull(): boolean;
  /** Why nothing new may be accepted now, as a sentence; undefined: it may. */
  trouble(): string | undefined;
  /** Reads the state anew; call it every second or two. */
  check(): Promise<void>;
};

/**
 * Watches whether Redis can still promise what an accepted create is promised: room for what ends it, and its durability, which somebody
 * may change, or a server lack that took the place of another.
 */
export function createStoreGuard(deps: {
  redis: RedisClient;
  demanded: DurabilityDemand;
  logger: Logger;
}): StoreGuard {
  const { redis, demanded, logger } = deps;
  let isFull = false;
  let weakness: string | undefined;

  async function checkMemory(): Promise<void> {
    const info = await redis.info('memory');
    const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
    const max = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
    const is = max > 0 && used > max * FULL;
    // Without a `maxmemory` it never is.
    if (is !== isFull) logger.warn({ used_bytes: used, max_bytes: max }, is ? 'redis.full' : 'redis.room');
    isFull = is;
  }

  async function checkDurability(): Promise<void> {
    const finding = await readDurability(redis);
    const is = isDurableEnough(demanded, finding) || finding.found === 'strict' ? undefined : finding.message;
    if (is !== weakness)
      logger.error({ message: is }, is === undefined ? 'redis.durable_again' : 'redis.not_durable');
    weakness = is;
  }

  return {
    isFull: () => isFull,
    trouble() {
      if (weakness !== undefined)
        return `Redis no longer keeps what it acknowledges (${weakness}); nothing is accepted until it does.`;
      return isFull ? 'The store is almost full; open jobs must end before new ones are taken.' : undefined;
    },
    async check() {
      await Promise.all([checkMemory(), ...(demanded === 'strict' ? [checkDurability()] : [])]);
    },
  };
}
