import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../shared/config.ts';
import type { WebhookEndpoint } from '../../shared/domain/webhook.ts';
import { createDeliveryStore } from '../../shared/stores/delivery-store.ts';
import { createEventStore } from '../../shared/stores/event-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { createWebhookStore } from '../../shared/stores/webhook-store.ts';
import { fanOut } from '../../shared/use-cases/tell-webhooks.ts';
import type { Posted } from '../../worker/deliver-webhook/decide.ts';
import { createDeliverer } from '../../worker/deliver-webhook/processor.ts';
import { aTestRedis, silentLogger } from '../support/redis.ts';

const DAY = 86_400_000;

/** Stores on the tests' Redis, an engine of a few lines, and a clock that jumps to whatever is next. */
async function aDesk() {
  const { redis, keys } = await aTestRedis();
  let now = Date.parse('2026-03-01T00:00:00Z');
  const clock = { nowMs: () => now };
  const box = createSealedBox([{ id: 'k', key: randomBytes(32) }]);
  const webhooks = createWebhookStore({ redis, keys, box, clock });
  const deliveries = createDeliveryStore({ redis, keys, partitions: 4, clock, orphanMs: 15_000 });
  const events = createEventStore({ redis, keys });
  const queue: { message: unknown; atMs: number }[] = [];
  const telling = {
    events,
    deliveries,
    clock,
    logger: silentLogger,
    endpoints: webhooks.list,
    queues: {
      async addDelivery(_: string, delivery: string, round: number, delayMs: number) {
        queue.push({ message: { v: 1, delivery, round }, atMs: now + Math.max(0, delayMs) });
      },
      async ringDelivery() {},
    },
  };
  const calls: { atMs: number; url: string; id?: string }[] = [];
  let answer: (url: string) => Posted = () => ({ kind: 'answered', status: 200, body: '' });
  const deliver = createDeliverer({
    deliveries,
    events,
    endpoints: {
      get: webhooks.get,
      secrets: webhooks.secrets,
      callbackSecret: webhooks.callbackSecret,
      async disable(id, reason) {
        const done = await webhooks.disable(id, reason);
        if (done?.event) await fanOut(telling, done.event);
      },
    },
    async post(url, headers) {
      calls.push({ atMs: now, url, id: headers['webhook-id'] });
      return answer(url);
    },
    persist: (_, __, write) => write(),
    scheduleMs: readConfig({}).webhookRetrySeconds.map((seconds) => seconds * 1_000),
    clock,
    random: () => 0,
    logger: silentLogger,
    onTry: () => {},
  });
  const newEndpoint = async (url: string): Promise<WebhookEndpoint> =>
    (await webhooks.create({ workspace: 'w', url, events: ['*'], trutoSignature: false })).endpoint;

  return {
    webhooks,
    deliveries,
    queue,
    calls,
    newEndpoint,
    now: () => now,
    reply: (next: typeof answer) => {
      answer = next;
    },
    async happen(endpoint: WebhookEndpoint) {
      const type = 'job.succeeded' as const;
      const ref = await webhooks.writeTestEvent(endpoint, { type, workspace: 'w', data: { id: 'x' } });
      if (ref) await fanOut(telling, ref);
      return ref;
    },
    /** Works the queue until nothing is due before `untilMs`, jumping from one to the next. */
    async run(untilMs: number) {
      for (;;) {
        queue.sort((a, b) => a.atMs - b.atMs);
        const [next] = queue;
        if (!next || next.atMs > untilMs) break;
        queue.shift();
        now = Math.max(now, next.atMs);
        const step = await deliver(next.message, new AbortController().signal);
        if (step.kind === 'wait') queue.push({ message: next.message, atMs: step.untilMs });
      }
      now = Math.max(now, untilMs);
    },
  };
}

const FAILED: Posted = { kind: 'answered', status: 500, body: 'no' };

describe('the schedule of a delivery', () => {
  it('is worked through to its end on a fake clock', async () => {
    const desk = await aDesk();
    const endpoint = await desk.newEndpoint('https://a.example/');
    desk.reply(() => FAILED);
    const start = desk.now();
    await desk.happen(endpoint);
    await desk.run(start + 10 * DAY);
    const waits = desk.calls.map(({ atMs }, i) => (atMs - (desk.calls[i - 1]?.atMs ?? start)) / 1_000);
    expect(waits).toEqual([0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(new Set(desk.calls.map(({ id }) => id)).size).toBe(1);
    const delivery = await desk.deliveries.find(desk.calls[0]?.id ?? '');
    expect(delivery).toMatchObject({ status: 'failed', reason: 'attempts_exhausted', tryCount: 10 });
    // One event alone fails for three days only, which is no reason to disable.
    expect((await desk.webhooks.get(endpoint.id))?.status).toBe('enabled');
  });

  it('disables an endpoint after five days of only failures, tells the others, and is replayed when enabled', async () => {
    const desk = await aDesk();
    const [bad, good] = [
      await desk.newEndpoint('https://bad.example/'),
      await desk.newEndpoint('https://good.example/'),
    ];
    desk.reply((url) => (url.includes('bad') ? FAILED : { kind: 'answered', status: 200, body: '' }));
    const start = desk.now();
    for (let day = 0; day < 8; day++) {
      await desk.happen(good);
      await desk.run(start + day * DAY + DAY / 2);
      const status = (await desk.webhooks.get(bad.id))?.status;
      expect({ day, status }).toEqual({ day, status: day < 5 ? 'enabled' : 'disabled' });
    }
    const disabled = await desk.webhooks.get(bad.id);
    expect(disabled?.disabledReason).toBe('failing');
    expect((disabled?.disabledAtMs ?? 0) - start).toBeGreaterThanOrEqual(5 * DAY);
    const toGood = await desk.deliveries.page(good.id, 0, 50);
    expect(toGood.filter((one) => one?.type === 'webhook_endpoint.disabled')).toHaveLength(1);
    expect(toGood.every((one) => one?.status === 'delivered')).toBe(true);

    const before = desk.calls.filter(({ url }) => url.includes('bad')).length;
    await desk.run(desk.now() + 5 * DAY);
    expect(desk.calls.filter(({ url }) => url.includes('bad'))).toHaveLength(before);
    const missed = (await desk.deliveries.page(bad.id, 0, 50)).filter((one) => one?.status === 'failed');
    expect(missed.length).toBeGreaterThanOrEqual(8);

    await desk.webhooks.enable(bad.id);
    await desk.deliveries.forgiveFailures(bad.id);
    desk.reply(() => ({ kind: 'answered', status: 200, body: '' }));
    const replayStart = desk.now();
    for (const { id } of await desk.deliveries.idsBetween(bad.id, 0, desk.now(), 100)) {
      const opened = await desk.deliveries.reopen(id, { notPending: true, onlyFailed: true, spacingMs: 50 });
      if (opened)
        desk.queue.push({ message: { v: 1, delivery: id, round: opened.round }, atMs: opened.atMs });
    }
    await desk.run(desk.now() + 60_000);
    const replayed = desk.calls.filter(({ url, atMs }) => url.includes('bad') && atMs >= replayStart);
    expect(replayed.map(({ atMs }) => atMs - replayStart)).toEqual(replayed.map((_, i) => i * 50));
    expect((await desk.deliveries.page(bad.id, 0, 50)).every((one) => one?.status === 'delivered')).toBe(
      true,
    );
    expect((await desk.webhooks.get(bad.id))?.status).toBe('enabled');
  });

  it('forgives: one success ends the series, and so does a pause of two days', async () => {
    const desk = await aDesk();
    const endpoint = await desk.newEndpoint('https://a.example/');
    let good = false;
    desk.reply(() => (good ? { kind: 'answered', status: 200, body: '' } : FAILED));
    const start = desk.now();
    for (let day = 0; day < 9; day++) {
      good = day === 4;
      await desk.happen(endpoint);
      await desk.run(start + day * DAY + DAY / 2);
    }
    expect((await desk.webhooks.get(endpoint.id))?.status).toBe('enabled');
  });

  it('leaves the endpoint alone for as long as Retry-After says', async () => {
    const desk = await aDesk();
    const endpoint = await desk.newEndpoint('https://a.example/');
    let first = true;
    desk.reply(() => {
      const posted: Posted = first
        ? { kind: 'answered', status: 503, retryAfter: '600', body: '' }
        : { kind: 'answered', status: 200, body: '' };
      first = false;
      return posted;
    });
    const start = desk.now();
    await desk.happen(endpoint);
    await desk.run(start + 1_000);
    await desk.happen(endpoint);
    await desk.run(start + DAY);
    expect(desk.calls.map(({ atMs }) => atMs - start)).toEqual([0, 600_000, 600_000]);
  });

  it('keeps to Retry-After whatever else was under way with that answer', async () => {
    const desk = await aDesk();
    const endpoint = await desk.newEndpoint('https://a.example/');
    let calls = 0;
    desk.reply(() =>
      ++calls === 1
        ? { kind: 'answered', status: 200, body: '' }
        : { kind: 'answered', status: 503, retryAfter: '600', body: '' },
    );
    await desk.happen(endpoint);
    await desk.happen(endpoint);
    await desk.run(desk.now());
    const until = desk.now() + 600_000;
    const [{ id = '' } = {}] = desk.calls;
    const late = await desk.deliveries.find(id);
    if (!late) throw new Error('the delivery is gone');
    const tried = { atMs: desk.now(), durationMs: 5, statusCode: 200 };
    await desk.deliveries.finish(late, { kind: 'delivered', tried });
    expect(await desk.deliveries.blockedUntilMs(endpoint.id)).toBe(until);
    const shorter = { kind: 'retry', nextTryAtMs: desk.now(), blockedUntilMs: desk.now() + 1_000 } as const;
    await desk.deliveries.finish(late, { ...shorter, tried: { ...tried, statusCode: 503 } });
    expect(await desk.deliveries.blockedUntilMs(endpoint.id)).toBe(until);
  });

  it('ignores a message of an older round, and one that comes too early', async () => {
    const desk = await aDesk();
    const endpoint = await desk.newEndpoint('https://a.example/');
    desk.reply(() => FAILED);
    await desk.happen(endpoint);
    await desk.run(desk.now());
    const [{ id = '' } = {}] = desk.calls;
    const opened = await desk.deliveries.reopen(id, {});
    expect(opened?.round).toBe(2);
    await desk.run(desk.now() + DAY);
    expect(desk.calls).toHaveLength(1);
    // Its engine job is lost: the sweep gives it the next round, at the time it was due.
    expect(await desk.deliveries.reopen(id, { lostRound: 1 })).toBeUndefined();
    expect((await desk.deliveries.reopen(id, { lostRound: 2 }))?.round).toBe(3);
  });
});
