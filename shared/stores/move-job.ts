import type { Clock } from '../clock.ts';
import { JOB_STATUSES, type JobStatus, statusesBefore } from '../domain/job.ts';
import { partitionOfId } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { untilReplicated } from '../redis/replicated.ts';
import type { ScriptReply, Scripts } from '../redis/scripts.ts';
import { claimPlaces } from './claim-places.ts';
import { encodePatch } from './job-codec.ts';
import type { JobEvents, Move, Moved, MovedJob } from './job-moves.ts';

/** Statuses as transition.lua takes them. */
const listed = (statuses: readonly JobStatus[]) => `,${statuses.join(',')},`;
/** From where each status may be reached. */
const BEFORE = Object.fromEntries(JOB_STATUSES.map((to) => [to, listed(statusesBefore(to))])) as Record<
  JobStatus,
  string
>;

type MoveDeps = {
  redis: RedisClient;
  scripts: Scripts;
  keys: Keys;
  clock: Clock;
  retentionMs: number;
  orphanMs: number;
  replicas: number;
  events?: JobEvents;
};

/** How a job moves to another status, or is written to in its own: see transition.lua. */
export function createMove(deps: MoveDeps): (job: MovedJob, wanted: Move) => Promise<Moved> {
  const { redis, scripts, keys, clock, retentionMs, orphanMs, replicas, events } = deps;

  async function run(
    found: readonly string[],
    args: readonly string[],
    farewell: Move['farewell'],
  ): Promise<ScriptReply> {
    if (!farewell) return scripts.dwTransition(...found, ...args);
    const { keys: gate, args: leaving } = farewell.part;
    const [ms = 0, circuit = '', ...moved] = await scripts.dwLeaveAndMove(
      ...gate,
      ...found,
      ...leaving,
      ...args,
    );
    farewell.said([1, ms, circuit]);
    return moved;
  }

  return async function move(job, wanted) {
    const eventKeptMs = await events?.keptMs(job, wanted.to);
    const p = partitionOfId(job.id) ?? 0;
    const now = clock.nowMs();
    const jobKey = keys.job(p, job.id);
    const { account } = job;
    const claim = wanted.remoteId
      ? claimPlaces(keys, { partition: p, account, remoteId: wanted.remoteId }, { nowMs: now, retentionMs })
      : { own: jobKey, packed: [jobKey, jobKey] as const, fieldHex: '' };
    const found = [
      jobKey,
      claim.own,
      job.idempotencyHash ? keys.idempotency(p, account, job.idempotencyHash) : jobKey,
      keys.open(p),
      keys.active(p),
      keys.jobs(p, account),
      keys.event(p, job.id),
      keys.outbox(p),
      wanted.alike ? keys.alike(p, account, wanted.alike) : jobKey,
      ...claim.packed,
    ];
    const ask = {
      account,
      job: job.id,
      to: wanted.to,
      from: wanted.from ? listed(wanted.from) : BEFORE[wanted.to],
      now,
      keep: retentionMs,
      look: wanted.lookAtMs ?? Math.max(now, wanted.dueAtMs ?? 0) + orphanMs,
      channel: keys.done(job.id),
      attempt: wanted.attempt,
      generation: wanted.generation,
      idle: wanted.onlyIdle,
      unsent: wanted.onlyUnsent,
      again: wanted.newGeneration,
      // The id itself stands in the key: a provider's text may be no text that can be decoded again.
      claim: Boolean(wanted.remoteId),
      claim_field: claim.fieldHex,
      event_ms: eventKeptMs,
    };
    const args = [JSON.stringify(ask), ...(wanted.patch ? encodePatch(wanted.patch) : [])];
    const reply = await run(found, args, wanted.farewell);
    if (reply[0] === 1) {
      if (reply[3] === 1) events?.written({ tag: p, id: `${job.id}.${reply[1]}` });
      await untilReplicated(redis, replicas);
      return { kind: 'moved', sequence: Number(reply[1]), generation: Number(reply[2]) };
    }
    if (reply[0] === -1) return { kind: 'fenced' };
    if (reply[0] === -2) return { kind: 'claimed', by: String(reply[1]) };
    const status = JOB_STATUSES.find((known) => known === reply[1]);
    return { kind: 'refused', status: status ?? 'missing' };
  };
}
