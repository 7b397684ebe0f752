import type { JobRecord } from '../../shared/domain/job.ts';
import { createLogger } from '../../shared/logger.ts';
import type { CallOptions } from '../../shared/providers/caller.ts';
import type {
  CallResult,
  ProviderClient,
  ProviderDescriptor,
  WritePlan,
} from '../../shared/providers/port.ts';
import type { Unknowns, WriterDeps } from '../../worker/write-opportunity/deps.ts';
import { createTakeClaim } from '../../worker/write-opportunity/take-claim.ts';
import { CONTENT, LATEST_COMMIT_MS, SETTLE_MS } from './model-jobs.ts';
import type { Task, World } from './world.ts';

const silent = createLogger('model', 'silent');

/** Everything the real processor rests on, for one run of one job; each part others can see is a point. */
export function writerDeps(world: World, task: Task): WriterDeps {
  const at = <T>(what: string, happen: () => T | Promise<T>): Promise<T> =>
    world.point(task, what).then(happen);
  const jobs: WriterDeps['jobs'] = {
    find: (id) => world.store.find(id),
    start: (job, intent, attempt, rests) =>
      at('start', async () => {
        const { alike, parentId } = rests;
        const lost = parentId === undefined ? [] : [...setIn(world, `parent ${parentId}`)];
        if (lost.some((id) => id !== job.id)) return { kind: 'parent_in_doubt' };
        const started = await world.store.start(job, intent, attempt, rests);
        if (started.kind === 'go' && alike) alikeOf(world, alike).add(job.id);
        return started;
      }),
    move: (job, wanted) =>
      at(`move to ${wanted.to}`, async () => {
        const moved = await world.store.move(
          job,
          world.setting.without === 'claims' ? { ...wanted, remoteId: undefined } : wanted,
        );
        if (moved.kind === 'moved' && wanted.alike) alikeOf(world, wanted.alike).delete(job.id);
        return moved;
      }),
  };
  const unknowns = unknownsOf(world, at);
  const queues = {
    add: async (_account: string, id: string, generation: number) => world.enqueue(id, generation),
    activate: async () => {},
  };
  return {
    factsUnderWay: new Map(),
    jobs,
    unknowns: { ...unknowns, takeClaim: createTakeClaim({ unknowns, jobs, queues, logger: silent }) },
    epoch: () => ({ number: 0, atMs: 0 }),
    accounts: {
      get: async () => world.account,
      facts: async () => ({ fetchedAtMs: world.nowMs, grant: 1, user: { id: 'us', name: 'us' } }) as never,
      putFacts: async () => {},
      parkForReauth: async () => {},
    },
    credentialsOf: async () => ({ credentials: {} as never, version: 1, grant: 1 }),
    caller: (_account, options) => () => call(world, task, options ?? {}),
    descriptorOf: () => descriptorOf(world),
    clientOf: () => clientOf(world, at),
    clock: { nowMs: () => world.nowMs },
    providerTime: (_account, nowMs) => nowMs,
    random: () => 0.5,
    logger: silent,
    onAttempt: () => {},
    followRow: async () => {},
  };
}

function setIn(world: World, key: string): Set<string> {
  const known = world.sets.get(key) ?? new Set<string>();
  world.sets.set(key, known);
  return known;
}

const alikeOf = (world: World, fingerprint: string) => setIn(world, `alike ${fingerprint}`);

type At = <T>(what: string, happen: () => T | Promise<T>) => Promise<T>;

function unknownsOf(world: World, at: At): Unknowns {
  const setOf = (key: string) => setIn(world, key);
  const open = (key: string, job: JobRecord, closed: string[]) =>
    [...setOf(key)].filter((id) => id !== job.id && !closed.includes(world.store.status(id) ?? 'succeeded'));
  const { without } = world.setting;
  const ended = ['succeeded', 'failed', 'cancelled'];
  return {
    announce: (job, fp) => at('announce', () => void setOf(`alike ${fp}`).add(job.id)),
    settle: (job, fp, parent) =>
      at('settle', () => {
        setOf(`alike ${fp}`).delete(job.id);
        setOf(`parent ${parent}`).delete(job.id);
      }),
    twins: (job, fp) => at('twins', () => (without === 'twins' ? [] : open(`alike ${fp}`, job, ended))),
    block: (job, parent) => at('block', () => void setOf(`parent ${parent}`).add(job.id)),
    blocker: (job, parent) =>
      at('blocker', () => {
        const key = `parent ${parent}`;
        const left = open(key, job, [...ended, 'needs_review']);
        for (const id of setOf(key)) if (id !== job.id && !left.includes(id)) setOf(key).delete(id);
        return left[0];
      }),
    claimant: (_job, remoteId) =>
      at('claimant', () => (without === 'claims' ? undefined : world.claims.get(remoteId))),
    takeClaim: (job, remoteId) => at('take claim', () => void world.claims.set(remoteId, job.id)),
  };
}

/** One create: the intent, the fence, and what the provider and the network make of it. */
async function call(world: World, task: Task, options: CallOptions): Promise<CallResult> {
  const begun = await options.begin?.({ keys: [], args: [] }, world.account.credentialsVersion);
  if (begun?.kind === 'refused') return { kind: 'not_sent', code: 'fenced', message: begun.why };
  await world.point(task, 'send');
  const fenced = options.fence?.();
  if (fenced !== undefined) return { kind: 'not_sent', code: 'fenced', message: fenced };
  const { marker } = world.setting;
  const value = marker ? task.job : undefined;
  const commit = () =>
    world.provider.create(JSON.stringify(CONTENT), value, marker?.kind === 'external_id', world.nowMs);
  // After that the writer believes in absence; a provider that commits later breaks its promise.
  const latest = world.setting.without === 'settling' ? LATEST_COMMIT_MS + 10_000 : LATEST_COMMIT_MS;
  const lost: CallResult = { kind: 'unanswered', code: 'provider_no_answer', message: 'the answer was lost' };
  switch (world.spend('lostAnswers', 5)) {
    case 1:
      world.note(`${task.job}: reset before the commit`);
      return lost;
    case 2:
      world.note(`${task.job}: committed, answer lost`);
      commit();
      return lost;
    case 3:
      world.later(world.nowMs + 1, `${task.job} commits a little later`, () => void commit(), 'isCommit');
      return lost;
    case 4:
      world.later(
        world.nowMs + latest,
        `${task.job} commits in the last moment`,
        () => void commit(),
        'isCommit',
      );
      return lost;
    default: {
      const id = commit();
      await world.point(task, 'receive the answer');
      return { kind: 'answered', status: 201, headers: {}, body: { id }, receivedAtMs: world.nowMs };
    }
  }
}

function descriptorOf(world: World): ProviderDescriptor {
  const plan: WritePlan = {
    create: { method: 'POST', path: '/opportunity', purpose: 'create' },
    followUps: [],
    content: CONTENT,
    ...(world.setting.parentId === undefined ? {} : { parentId: world.setting.parentId }),
  };
  const parts: Partial<ProviderDescriptor> = {
    name: 'close',
    reconcile: { settleMs: SETTLE_MS, probes: 3 },
    createAnswersRecord: true,
    plan: () => ({ ok: true, plan, warnings: [], unsupported: [] }),
    unify: (record) => record as never,
    classify: (answer) => {
      const { id } = answer.body as { id: string };
      return { kind: 'written', remoteId: id, answer: answer.body, httpStatus: answer.status };
    },
  };
  // The writer asks a descriptor for nothing else.
  return parts as ProviderDescriptor;
}

function clientOf(world: World, at: At): ProviderClient {
  const parts: Partial<ProviderClient> = {
    find: (_call, request) => at('look', () => world.provider.find(request)),
    readBack: async (_call, id) => ({ ok: true, value: { id } }),
  };
  return parts as ProviderClient;
}
