import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isEnded, JOB_STATUSES, type JobStatus, TRANSITIONS } from '../../shared/domain/job.ts';
import { aJobStore } from './job-store-support.ts';

type Modelled = {
  id: string;
  status: JobStatus;
  sequence: number;
  generation: number;
  attempt: number;
  inFlight: boolean;
  remoteId?: string;
};

const REMOTE_IDS = ['r1', 'r2', 'r3'];

const step = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ do: 'accept' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('start' as const), job: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('requeue' as const), job: fc.nat(9) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      job: fc.nat(9),
      to: fc.constantFrom(...JOB_STATUSES),
      settle: fc.boolean(),
      onlyIdle: fc.boolean(),
      newGeneration: fc.boolean(),
      staleAttempt: fc.boolean(),
      remoteId: fc.option(fc.constantFrom(...REMOTE_IDS), { nil: undefined }),
    }),
  },
);

it('whatever happens in whatever order, every job is where its record says, and counted once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const store = await aJobStore({ backlogLimit: 8 });
      const account = await store.anAccount();
      const p = store.partitionOf(account);
      const model: Modelled[] = [];
      const owners = new Map<string, string>();
      const isOpen = ({ status }: Modelled) => ['queued', 'running', 'waiting'].includes(status);

      for (const action of steps) {
        store.clock.now += 1;
        if (action.do === 'accept') {
          const accepted = await store.accept(account);
          expect(accepted.kind).toBe(model.filter(isOpen).length >= 8 ? 'backlog_full' : 'accepted');
          if (accepted.kind !== 'accepted') continue;
          const { id } = accepted.job;
          model.push({ id, status: 'queued', sequence: 1, generation: 1, attempt: 0, inFlight: false });
          continue;
        }
        const known = model[action.job % Math.max(1, model.length)];
        if (!known) continue;
        const job = await store.find(known.id);
        if (action.do === 'requeue') {
          const generation = await store.jobs.requeue(job);
          expect(generation).toBe(isOpen(known) ? known.generation + 1 : undefined);
          if (generation) known.generation = generation;
        } else if (action.do === 'start') {
          const started = await store.start(job);
          const expected = !isOpen(known) ? 'not_this_one' : known.inFlight ? 'in_flight' : 'go';
          expect(started.kind).toBe(expected);
          if (started.kind !== 'go') continue;
          if (known.status !== 'running') known.sequence++;
          known.status = 'running';
          known.inFlight = true;
          known.attempt++;
        } else {
          const { to, remoteId, onlyIdle, settle, newGeneration } = action;
          const moved = await store.jobs.move(job, {
            to,
            remoteId,
            onlyIdle,
            newGeneration,
            attempt: action.staleAttempt ? known.attempt + 1 : known.attempt,
            patch: settle ? { inFlight: null } : {},
          });
          const owner = remoteId && owners.get(remoteId);
          const isAllowed = (TRANSITIONS[known.status] as readonly JobStatus[]).includes(to);
          const expected = !isAllowed
            ? 'refused'
            : action.staleAttempt || (onlyIdle && known.inFlight)
              ? 'fenced'
              : owner && owner !== known.id
                ? 'claimed'
                : 'moved';
          expect(moved.kind).toBe(expected);
          if (moved.kind !== 'moved') continue;
          if (remoteId) owners.set(remoteId, known.id);
          if (known.status !== to) known.sequence++;
          if (newGeneration) known.generation++;
          if (settle) known.inFlight = false;
          known.status = to;
        }
      }

      for (const known of model) {
        const job = await store.find(known.id);
        const { status, sequence, generation } = job;
        expect({ id: job.id, status, sequence, generation }).toEqual({
          id: known.id,
          status: known.status,
          sequence: known.sequence,
          generation: known.generation,
        });
        expect(job.attemptNumber).toBe(known.attempt);
        expect(job.inFlight !== undefined).toBe(known.inFlight);
        expect(job.finishedAtMs !== undefined).toBe(isEnded(known.status));
        const ttl = await store.redis.pttl(store.keys.job(p, known.id));
        expect(ttl > 0).toBe(isEnded(known.status));
        const member = `${account} ${known.id}`;
        expect((await store.redis.zscore(store.keys.open(p), member)) !== null).toBe(isOpen(known));
      }
      const ids = (status: JobStatus) =>
        model.flatMap((known) => (known.status === status ? [known.id] : [])).sort();
      for (const status of JOB_STATUSES.filter((one) => one !== 'succeeded')) {
        const index = await store.redis.zrange(store.keys.jobsIn(p, account, status), '0', '-1');
        expect(index, status).toEqual(ids(status));
      }
      expect(await store.jobs.counts(account)).toEqual({
        waiting: ids('queued').length,
        running: ids('running').length,
        delayed: ids('waiting').length,
      });
    }),
    { numRuns: 40, interruptAfterTimeLimit: 8_000 },
  );
});
