import { createGate } from '../../shared/providers/gate.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { ScriptPart } from '../../shared/redis/scripts.ts';

/** How the gate of `account` is asked by a start that is to pass. */
export function anOpenGate(
  of: { redis: RedisClient; keys: Keys; partitions: number },
  account: string,
): ScriptPart {
  const gate = createGate({ ...of, processId: 'test' });
  const pace = {
    requests: 1_000_000,
    perMs: 1_000,
    burst: 1_000,
    concurrency: 1_000_000,
    dailyShare: 1,
    learns: false,
  };
  return gate.question(account, { lease: gate.newLease(), leaseMs: 60_000, pace, waitMsMax: 0 });
}
