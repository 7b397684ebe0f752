import { atMost } from '../../shared/at-most.ts';
import type { Logger } from '../../shared/logger.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import { PRIORITY } from '../../shared/queues/messages.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { AccountStore } from '../../shared/stores/account-store.ts';
import type { JobStore } from '../../shared/stores/job-store.ts';
import { ACCOUNT_GONE, endUnsendable } from '../../shared/use-cases/end-unsendable.ts';

/** Open jobs looked at in one partition and one sweep. */
const BATCH = 200;
/** Looks made at once: all of a batch together would keep the process from everything else for a moment. */
const LOOKS_AT_ONCE = 4;
/**
 * An open job whose engine job exists is looked at again after this time or its own age, whichever is longer: a backlog
 * of 100,000 jobs that waits for an hour is looked at a few times, not once a minute.
 */
const LOOK_AGAIN_MS = 60_000;
const LOOK_AGAIN_MS_MAX = 3_600_000;

export type OrphanDeps = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  jobs: Pick<JobStore, 'find' | 'requeue' | 'move'>;
  queues: Pick<AccountQueues, 'add' | 'has' | 'activate'>;
  store: Pick<AccountStore, 'get'>;
  logger: Logger;
};

/**
 * Queues open jobs again that the engine does not know: a crash between record and queue, a message the engine failed
 * or lost. The next generation makes whatever is left of the old one harmless.
 * @returns how many were queued again.
 */
export async function requeueOrphans(deps: OrphanDeps): Promise<number> {
  let requeued = 0;
  const inTurn = atMost(LOOKS_AT_ONCE);
  for (let p = 0; p < deps.partitions; p++) {
    const due = await deps.redis.zrangebyscore(deps.keys.open(p), '-inf', Date.now(), 'LIMIT', 0, BATCH);
    // An account's queue is woken once, whatever its backlog.
    const awake = new Set<string>();
    const workspaces = new Map<string, Promise<string | undefined>>();
    const workspaceOf = (account: string) => {
      const known = workspaces.get(account) ?? deps.store.get(account).then((found) => found?.workspace);
      workspaces.set(account, known);
      return known;
    };
    const healed = await Promise.all(
      due.map((member) => inTurn(() => healOrSkip(deps, p, member, { awake, workspaceOf }))),
    );
    requeued += healed.filter(Boolean).length;
  }
  return requeued;
}

/** What one sweep knows of accounts. */
type Seen = { awake: Set<string>; workspaceOf: (account: string) => Promise<string | undefined> };

/** One record that cannot be read, as one of a newer version, must not keep all others from being healed. */
async function healOrSkip(deps: OrphanDeps, partition: number, member: string, seen: Seen): Promise<boolean> {
  try {
    return await heal(deps, partition, member, seen);
  } catch (err) {
    deps.logger.warn({ err, member }, 'job.not_healed');
    await deps.redis.zadd(deps.keys.open(partition), 'XX', Date.now() + LOOK_AGAIN_MS, member);
    return false;
  }
}

async function heal(
  deps: OrphanDeps,
  partition: number,
  member: string,
  { awake, workspaceOf }: Seen,
): Promise<boolean> {
  const [account = '', id = ''] = member.split(' ');
  const job = await deps.jobs.find(id);
  // Opened again while its account was deleted: nobody works on a queue without one.
  if (job && (await workspaceOf(account)) !== job.workspace) {
    await endUnsendable(deps.jobs, job, ACCOUNT_GONE);
    return false;
  }
  if (job && (await deps.queues.has(account, id, job.generation))) {
    const now = Date.now();
    const later = Math.min(Math.max(LOOK_AGAIN_MS, now - job.createdAtMs), LOOK_AGAIN_MS_MAX);
    await deps.redis.zadd(deps.keys.open(partition), 'XX', now + later, member);
    // Its queue may have been let go although it is in there; one that is held says so itself.
    if (job.status === 'queued' && !awake.has(account)) {
      awake.add(account);
      await deps.queues.activate(account);
    }
    return false;
  }
  if (!job) {
    await deps.redis.zrem(deps.keys.open(partition), member);
    return false;
  }
  const generation = await deps.jobs.requeue(job);
  if (generation === undefined) return false;
  await deps.queues.add(account, id, generation, PRIORITY.givenBack);
  await deps.queues.activate(account);
  deps.logger.warn({ job_id: id, account_id: account, generation }, 'job.requeued');
  return true;
}
