import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';

/** Why an account is not called: it met a limit, or its provider is down. */
type StopReason = 'limit' | 'outage';

export type StoppedAccounts = ReturnType<typeof createStoppedAccounts>;

/** Which accounts stand still, over all processes: to be counted, never to decide by. The gate is the truth. */
export function createStoppedAccounts({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  const member = (reason: StopReason, provider: string, account: string) =>
    `${reason} ${provider} ${account}`;
  return {
    async note(reason: StopReason, provider: string, account: string, fromMs: number, forMs: number) {
      await redis.zadd(keys.stopped, 'GT', fromMs + forMs, member(reason, provider, account));
      await redis.zremrangebyscore(keys.stopped, '-inf', fromMs);
    },

    async clear(reason: StopReason, provider: string, account: string): Promise<void> {
      await redis.zrem(keys.stopped, member(reason, provider, account));
    },

    /** How many stand still now. */
    async count(nowMs: number): Promise<{ reason: string; provider: string; accounts: number }[]> {
      const counts = new Map<string, number>();
      for (const text of await redis.zrangebyscore(keys.stopped, nowMs, '+inf')) {
        const group = text.slice(0, text.lastIndexOf(' '));
        counts.set(group, (counts.get(group) ?? 0) + 1);
      }
      return [...counts].map(([group, accounts]) => {
        const [reason = '', provider = ''] = group.split(' ');
        return { reason, provider, accounts };
      });
    },
  };
}
