import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import type { SharedQueueJob } from '../floors/shared-queue-floor.ts';
import { CLOSE_IDS, closeCredential } from './accounts.ts';
import { FLOOD_PER_SECOND, HANGING_ACCOUNTS, HANGING_CREATES, OTHERS } from './fairness-ours.ts';
import type { Sender } from './latency.ts';
import { startMeasured } from './processes.ts';
import type { BenchSandbox } from './sandbox.ts';

/** Close's pace by default, as ours has it. */
const OTHERS_PER_SECOND = 20;
const PREFIX = 'shared';

/** The control's side of `fairness`: one queue and one worker for all accounts. */
export async function startShared(redisUrl: string) {
  await using starting = new AsyncDisposableStack();
  const connection = starting.adopt(new Redis(redisUrl), (client) => client.disconnect());
  const queue = starting.adopt(new Queue<SharedQueueJob>('shared', { connection, prefix: PREFIX }), (q) =>
    q.close(),
  );
  const env = { REDIS_URL: redisUrl, REDIS_PREFIX: PREFIX };
  starting.use(await startMeasured('bench/floors/shared-queue-floor.ts', 'PORT', '/', env));
  const running = starting.move();

  const jobOf = (sandbox: BenchSandbox, n: number, perSecond: number): SharedQueueJob => ({
    url: `${sandbox.origin}/close/api/v1/opportunity/`,
    authorization: closeCredential(n).authorization,
    perSecond,
    body: { lead_id: CLOSE_IDS.leads[0], user_id: CLOSE_IDS.owner, note: 'Renewal', value: 125_050 },
  });
  async function addMany(count: number, data: (i: number) => SharedQueueJob): Promise<void> {
    for (let i = 0; i < count; i += 1_000) {
      const size = Math.min(1_000, count - i);
      await queue.addBulk(Array.from({ length: size }, (_, k) => ({ name: 'write', data: data(i + k) })));
    }
  }

  return {
    others: (sandbox: BenchSandbox): Sender[] =>
      Array.from({ length: OTHERS }, (_, n) => ({
        shown: closeCredential(n).shown,
        send: () => queue.add('write', jobOf(sandbox, n, OTHERS_PER_SECOND)),
      })),
    flood: (sandbox: BenchSandbox, count: number) =>
      addMany(count, () => jobOf(sandbox, OTHERS, FLOOD_PER_SECOND)),
    async hang(sandbox: BenchSandbox): Promise<void> {
      await addMany(HANGING_ACCOUNTS * HANGING_CREATES, (i) =>
        jobOf(sandbox, OTHERS + 1 + (i % HANGING_ACCOUNTS), OTHERS_PER_SECOND),
      );
      await sleep(3_000);
    },
    /** What still waits is of no more use. */
    empty: () => queue.drain(true),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
