import { createSecret } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';

const LOCK_MS = 30_000;
const RENEW_MS = 10_000;

/** Deletes (or prolongs) a lock only while it is ours: KEYS 1 lock · ARGV 1 owner, 2 new length in ms, 0 = delete. */
const OWNED = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

export type HeldLock = { release(): Promise<void> };

/** Lock of one account's token refresh over all processes; ends by itself 30 s after its holder died. */
export function createRefreshLock(redis: RedisClient, keyOf: (account: string) => string) {
  return {
    /** Undefined: somebody else holds it. */
    async take(account: string): Promise<HeldLock | undefined> {
      const key = keyOf(account);
      const owner = createSecret(16);
      if ((await redis.set(key, owner, 'PX', LOCK_MS, 'NX')) !== 'OK') return undefined;
      const renewal = setInterval(
        () => redis.eval(OWNED, 1, key, owner, LOCK_MS).catch(() => {}),
        RENEW_MS,
      ).unref();
      return {
        async release() {
          clearInterval(renewal);
          // Left to its expiry when Redis is away: the refresh itself succeeded.
          await redis.eval(OWNED, 1, key, owner, 0).catch(() => {});
        },
      };
    },
  };
}
