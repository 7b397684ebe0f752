/**
 * Control of `pace` and `hour-limit`: the script one writes first. `p-queue` with an interval cap, and what the provider
 * refuses goes through the queue again, after the time that was stated or a growing one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { Agent, request } from 'undici';

export type PaceFloorTask = {
  url: string;
  authorization: string;
  /** Sent `count` times. */
  body: unknown;
  count: number;
  requests: number;
  perMs: number;
  concurrency: number;
  /** p-queue's sliding window instead of its fixed one. */
  strict: boolean;
};
export type PaceFloorResult = { written: number };

const RETRY_MS = 500;
const RETRY_MS_MAX = 8_000;

async function run(task: PaceFloorTask): Promise<PaceFloorResult> {
  const { requests, perMs, concurrency, strict } = task;
  const queue = new PQueue({ intervalCap: requests, interval: perMs, concurrency, strict });
  const dispatcher = new Agent({ connections: 64 });
  const body = JSON.stringify(task.body);

  async function post() {
    const answer = await request(task.url, {
      method: 'POST',
      dispatcher,
      headers: { authorization: task.authorization, 'content-type': 'application/json' },
      body,
    });
    const text = await answer.body.text();
    if (answer.statusCode < 300) return undefined;
    if (answer.statusCode !== 429) throw new Error(`${answer.statusCode} ${text}`);
    return { retryAfterMs: Number(answer.headers['retry-after']) * 1_000 };
  }

  async function write(): Promise<void> {
    for (let tries = 0; ; tries++) {
      const refused = await queue.add(post);
      if (!refused) return;
      const growingMs = Math.min(RETRY_MS * 2 ** tries, RETRY_MS_MAX);
      await sleep(Number.isFinite(refused.retryAfterMs) ? refused.retryAfterMs : growingMs);
    }
  }

  await Promise.all(Array.from({ length: task.count }, write));
  await dispatcher.close();
  return { written: task.count };
}

// The type of the message is what the benchmark sends.
process.once('message', async (task) => {
  const result = await run(task as PaceFloorTask);
  process.send?.(result, () => process.exit(0));
});
