import { expect, it } from 'vitest';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { Call, CallResult, Found, ProviderClient } from '../../shared/providers/port.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import { AFRESH } from '../../shared/use-cases/retry-job.ts';
import type { WriterDeps } from '../../worker/write-opportunity/deps.ts';
import { createWriter } from '../../worker/write-opportunity/processor.ts';
import { anOpenGate } from '../support/open-gate.ts';
import { closeFacts } from '../unit/close-support.ts';
import { aJobStore } from './job-store-support.ts';
import { writerDeps } from './writer-support.ts';

const BODY = { name: 'Annual License', account: { id: 'lead_1' }, owner: { id: 'user_1' } };
const NONE: Found = { kind: 'none', trustworthy: true, candidates: [] };

const AS_ANOTHER = { grant: 2, user: 'B', organisation: 'two' };

/** Who an account is connected as, and what becomes of its calls. */
type World = {
  grant: number;
  user: string;
  organisation: string;
  status: string;
  workspace: string;
  answer: 'lost' | 403 | 200;
};

/** A create whose answer is lost, at a provider where nothing is ever found. What happens to the account on the way is the caller's. */
async function aLostCreate(on: { find?: (world: World) => void; turn?: (world: World) => void } = {}) {
  const store = await aJobStore();
  const { redis, keys, clock } = store;
  const id = await store.anAccount();
  const world: World = {
    grant: 1,
    user: 'A',
    organisation: 'one',
    status: 'active',
    workspace: 'default',
    answer: 'lost',
  };
  const sent: string[] = [];
  const account = () =>
    ({
      ...{ id, workspace: world.workspace, provider: 'close', status: world.status, heldMs: 0 },
      credentialsVersion: world.grant,
      settings: { read_back: false, reconcile: { settle_ms: 0, probes: 2 }, timeout_ms: 1_000 },
    }) as unknown as Account;
  const factsNow = () =>
    closeFacts({
      fetchedAtMs: clock.now,
      user: { id: world.user, name: '' },
      organisation: { id: world.organisation, name: '' },
    });
  let facts = { ...factsNow(), grant: 1 };
  const caller: WriterDeps['caller'] =
    (_, options = {}): Call =>
    async (): Promise<CallResult> => {
      on.turn?.(world);
      const begun = await options.begin?.(anOpenGate({ redis, keys, partitions: 4 }, id), world.grant);
      if (begun && begun.kind !== 'begun') return { kind: 'not_sent', code: 'fenced', message: begun.kind };
      sent.push(`${world.organisation} by ${world.user}`);
      if (world.answer === 'lost') return { kind: 'unanswered', code: 'provider_no_answer', message: 'lost' };
      const body = world.answer === 200 ? { id: 'oppo_2', ...BODY } : { error: 'You may not.' };
      return { kind: 'answered', status: world.answer, headers: {}, body, receivedAtMs: clock.now };
    };
  const client = {
    find: async () => {
      on.find?.(world);
      return { ok: true, value: NONE };
    },
    fetchFacts: async () => ({ ok: true, value: factsNow() }),
  } as unknown as ProviderClient;
  const write = createWriter(
    writerDeps(store, {
      accounts: {
        get: async () => account(),
        facts: async () => facts,
        putFacts: async (_, read) => {
          facts = { grant: 0, ...read };
        },
        parkForReauth: async () => {},
      },
      credentialsOf: async () => ({
        credentials: { type: 'api_key', api_key: 'k' },
        version: 1,
        grant: world.grant,
      }),
      caller,
      descriptorOf: () => descriptors.close,
      clientOf: () => client,
    }),
  );
  const { id: jobId } = await store.aJob(id, {
    request: { query: { response_format: 'unified' }, body: BODY },
  });
  const run = async () => {
    const { generation } = await store.find(jobId);
    return write({ v: 1, job: jobId, generation }, new AbortController().signal);
  };
  const end = async () => {
    for (let runs = 0; runs < 20; runs++) {
      const step = await run();
      if (step.kind === 'done') return store.find(jobId);
      clock.now = Math.max(clock.now + 1, step.untilMs);
    }
    throw new Error('it never ends');
  };
  return { world, sent, run, end, store, jobId };
}

it.each([
  ['another user', { user: 'B' }],
  ['the same user in another organisation', { organisation: 'two' }],
])('a lost create is not sent again when the account is connected as %s by then', async (_, other) => {
  const { world, sent, run, end } = await aLostCreate();
  await run();
  Object.assign(world, { grant: 2, answer: 200 }, other);
  expect((await end()).status).toBe('needs_review');
  expect(sent).toEqual(['one by A']);
});

it('a lost create is sent again when the same user has only got another key', async () => {
  const { world, sent, run, end } = await aLostCreate();
  await run();
  Object.assign(world, { grant: 2, answer: 200 });
  expect((await end()).status).toBe('succeeded');
  expect(sent).toEqual(['one by A', 'one by A']);
});

it('a create whose turn comes after its account got other credentials is decided anew before it is sent', async () => {
  const { sent, run, end } = await aLostCreate({
    turn: (world) => Object.assign(world, { grant: 2, user: 'B', answer: 200 }),
  });
  expect((await run()).kind).toBe('wait');
  expect(sent).toEqual([]);
  expect((await end()).status).toBe('succeeded');
  expect(sent).toEqual(['one by B']);
});

it('what was looked for with credentials that were replaced meanwhile sends nothing', async () => {
  const { sent, end } = await aLostCreate({ find: (world) => Object.assign(world, AS_ANOTHER) });
  expect((await end()).status).toBe('needs_review');
  expect(sent).toEqual(['one by A']);
});

it('what was looked for with credentials that were replaced meanwhile proves no failure either', async () => {
  // The last look, after a refusal: what it proves would let a retry send without another.
  const { world, sent, run, end } = await aLostCreate({
    find: (now) => sent.length === 2 && Object.assign(now, AS_ANOTHER),
  });
  await run();
  world.answer = 403;
  expect((await end()).status).toBe('needs_review');
  expect(sent).toEqual(['one by A', 'one by A']);
});

it('a create that failed with its absence proved is written by whoever is given the right', async () => {
  const { world, sent, run, end, store, jobId } = await aLostCreate();
  await run();
  world.answer = 403;
  const failed = await end();
  expect(failed.status).toBe('failed');
  Object.assign(world, { grant: 2, user: 'B', answer: 200 });
  await store.jobs.move(failed, { to: 'queued', from: ['failed'], newGeneration: true, patch: AFRESH });
  expect((await end()).status).toBe('succeeded');
  expect(sent.at(-1)).toBe('one by B');
  expect((await store.find(jobId)).attemptNumber).toBe(3);
});

it('a job that was never begun, and only doubted, is cancelled with its account when its absence is proved', async () => {
  const { world, sent, end, store, jobId } = await aLostCreate();
  const send = { attempt: 0, sentAtProviderMs: 1, verdictAtMs: 1 };
  await store.move(await store.find(jobId), 'waiting', { unknownSends: [send] });
  world.status = 'deleting';
  expect((await end()).status).toBe('cancelled');
  expect(sent).toEqual([]);
});

it('a job whose account is another workspace’s by now is not sent with its credentials', async () => {
  const { world, sent, run, store, jobId } = await aLostCreate();
  Object.assign(world, { workspace: 'other', answer: 200 });
  expect((await run()).kind).toBe('done');
  expect(sent).toEqual([]);
  // For the sweep to end.
  expect((await store.find(jobId)).status).toBe('queued');
});
