import { beforeEach, describe, expect, it, vi } from 'vitest';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { Call, CallResult, ProviderClient, ProviderDescriptor } from '../../shared/providers/port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { WriterDeps } from '../../worker/write-opportunity/deps.ts';
import { createWriter } from '../../worker/write-opportunity/processor.ts';
import { anOpenGate } from '../support/open-gate.ts';
import { closeFacts } from '../unit/close-support.ts';
import { aJobStore, type StoreUnderTest } from './job-store-support.ts';
import { writerDeps } from './writer-support.ts';

const BODY = { name: 'Annual License', account: { id: 'lead_1' }, owner: { id: 'user_1' } };
const REMOTE_ID = 'oppo_1';

let store: StoreUnderTest;
beforeEach(async () => {
  store = await aJobStore();
});

/** A writer whose Close connector has `faulty` parts; its provider writes whatever it is sent. */
async function aWriter(faulty: Partial<ProviderDescriptor>, faultyClient: Partial<ProviderClient> = {}) {
  const { redis, keys, clock } = store;
  const id = await store.anAccount();
  const account = {
    id,
    workspace: 'default',
    provider: 'close',
    status: 'active',
    heldMs: 0,
    credentialsVersion: 1,
    settings: { read_back: false, reconcile: { settle_ms: 0, probes: 2 }, timeout_ms: 1_000 },
  } as unknown as Account;
  const sent: string[] = [];
  const caller: WriterDeps['caller'] =
    (_, options = {}): Call =>
    async (request): Promise<CallResult> => {
      const begun = await options.begin?.(anOpenGate({ redis, keys, partitions: 4 }, id), 1);
      if (begun && begun.kind !== 'begun') throw new Error(`not begun: ${begun.kind}`);
      sent.push(request.path);
      const body = { id: REMOTE_ID, ...BODY };
      return { kind: 'answered', status: 200, headers: {}, body, receivedAtMs: clock.now };
    };
  const found = { remoteId: REMOTE_ID, url: 'https://app.close.com/', why: 'the same', matches: true };
  const client = {
    find: async () => ({ ok: true, value: { kind: 'found', by: 'content', candidates: [found] } }),
    ...faultyClient,
  } as unknown as ProviderClient;
  const write = createWriter(
    writerDeps(store, {
      accounts: {
        get: async () => account,
        facts: async () => closeFacts({ fetchedAtMs: clock.now, grant: 1 }),
        putFacts: async () => {},
        parkForReauth: async () => {},
      },
      credentialsOf: async () => ({ credentials: { type: 'api_key', api_key: 'k' }, version: 1, grant: 1 }),
      caller,
      descriptorOf: () => ({ ...descriptors.close, ...faulty }),
      clientOf: () => client,
    }),
  );
  const job = await store.aJob(id, { request: { query: { response_format: 'unified' }, body: BODY } });
  const message = { v: 1, job: job.id, generation: 1 };
  const run = () => write(message, new AbortController().signal);
  return { id: job.id, sent, run };
}

/** Runs the job as often as it asks for it, each time when it is due. @returns the waits between, in seconds. */
async function runToItsEnd(run: Awaited<ReturnType<typeof aWriter>>['run']): Promise<number[]> {
  const waits: number[] = [];
  for (;;) {
    const step = await run();
    if (step.kind === 'done') return waits;
    expect(waits.length, 'it never ends').toBeLessThan(20);
    waits.push(Math.round((step.untilMs - store.clock.now) / 1_000));
    store.clock.now = step.untilMs;
  }
}

const bug = () => {
  throw new TypeError('undefined is not a function');
};

describe('a job on which the worker meets a bug every time', () => {
  it('is tried again for some minutes and fails as worker_fault, with nothing sent', async () => {
    const { id, sent, run } = await aWriter({ plan: bug });
    expect(await runToItsEnd(run)).toEqual([30, 60, 120, 240]);
    const job = await store.find(id);
    expect(job).toMatchObject({
      status: 'failed',
      error: { code: 'worker_fault', statusCode: 500, retryable: true },
      attemptNumber: 0,
    });
    expect(sent).toEqual([]);
  });

  it('met while its answer is read, it is looked for and not sent again', async () => {
    const { id, sent, run } = await aWriter({ unify: bug });
    await runToItsEnd(run);
    expect(await store.find(id)).toMatchObject({ status: 'succeeded', faults: 1 });
    expect(sent).toHaveLength(1);
  });

  it('met while its result is put into words for Redis, that is not tried for ever', async () => {
    const { id, sent, run } = await aWriter({ unify: () => ({ id: REMOTE_ID, amount: 1n }) as never });
    await runToItsEnd(run);
    expect(await store.find(id)).toMatchObject({ status: 'succeeded', faults: 1 });
    expect(sent).toHaveLength(1);
  });

  it('met whenever it is looked for, a person is asked', async () => {
    const { id, sent, run } = await aWriter({ unify: bug }, { find: bug });
    await runToItsEnd(run);
    const job = await store.find(id);
    expect(job).toMatchObject({ status: 'needs_review', error: { code: 'outcome_unknown' } });
    expect(job.inFlight).toBeUndefined();
    expect(job.error?.message).toMatch(/may have the record.*bug/);
    expect(sent).toHaveLength(1);
  });

  it('met once, it is written by the next run', async () => {
    const { plan } = descriptors.close;
    const faultyOnce = vi.fn(plan).mockImplementationOnce(bug);
    const { id, sent, run } = await aWriter({ plan: faultyOnce });
    expect(await runToItsEnd(run)).toEqual([30]);
    expect(await store.find(id)).toMatchObject({ status: 'succeeded', faults: 1 });
    expect(sent).toHaveLength(1);
  });
});

describe('an exception that is not of the job', () => {
  it.each([
    ['Redis has no memory', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
    ['the connection is gone', new Error('Connection is closed.')],
  ])('is left to the engine, and does not count: %s', async (_, err) => {
    const { id, run } = await aWriter({
      plan: () => {
        throw err;
      },
    });
    await expect(run()).rejects.toThrow(err);
    expect(await store.find(id)).toMatchObject({ status: 'queued', faults: 0 });
  });
});
