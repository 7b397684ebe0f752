import type { Epoch } from '../domain/epoch.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

const NONE: Epoch = { number: 0, atMs: 0 };

/** The installation's epoch. Jobs that were open when it began look at the provider before they write. */
export function createEpochStore({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  let current = NONE;

  async function read(): Promise<Epoch> {
    const [number, at] = await redis.hmget(keys.epoch, 'n', 'at');
    current = number ? { number: Number(number), atMs: Number(at) } : NONE;
    return current;
  }

  async function begin(nowMs: number, serverId: string): Promise<Epoch> {
    await redis
      .multi()
      .hincrby(keys.epoch, 'n', 1)
      .hset(keys.epoch, 'at', String(nowMs), 'server', serverId)
      .exec();
    return read();
  }

  return {
    /** As of the last `read` or `watch`. */
    current: () => current,
    read,
    begin,

    /**
     * Begins an epoch when another server answers than the last time. Only where one can take another's place
     * (replicas, Sentinel): a single server that restarts from its own AOF has lost nothing.
     * @returns whether an epoch began.
     */
    async watch(nowMs: number): Promise<boolean> {
      const serverId = /run_id:(\w+)/.exec(await redis.info('server'))?.[1] ?? '';
      const known = await redis.hget(keys.epoch, 'server');
      if (known === serverId) {
        await read();
        return false;
      }
      if (known === null) {
        await redis.hsetnx(keys.epoch, 'server', serverId);
        await read();
        return false;
      }
      await begin(nowMs, serverId);
      return true;
    },
  };
}
