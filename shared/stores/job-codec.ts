import { ProviderName } from '../domain/integrated-account.ts';
import type { Attempt, JobRecord } from '../domain/job.ts';
import {
  JOB_SCHEMA_VERSION,
  JOB_STATUSES,
  type JobStatus,
  WAIT_REASONS,
  type WaitReason,
} from '../domain/job.ts';

/** Attempts shown and kept: the newest ones. A job limited for days makes hundreds. */
export const ATTEMPTS_KEPT = 50;

export class UnreadableRecord extends Error {
  override name = 'UnreadableRecord';
}

/** Fields of the job hash that a patch may set; the scripts own `status`, `seq`, `gen`, `updated` and `finished`. */
export type JobPatch = Partial<
  Pick<
    JobRecord,
    | 'request'
    | 'appliedDefaults'
    | 'warnings'
    | 'attemptsSpent'
    | 'limitHits'
    | 'unknownSends'
    | 'probes'
    | 'epoch'
    | 'fingerprint'
    | 'written'
    | 'followUps'
    | 'candidates'
    | 'corrections'
    | 'faults'
    | 'result'
    | 'error'
    | 'importId'
  >
> & {
  /** Null clears. */
  nextAttemptAtMs?: number | null;
  waitReason?: WaitReason | null;
  inFlight?: null;
  /** Where the deadline begins, with the time the account had been held by then. Null clears: a retry. */
  firstAttemptAtMs?: number | null;
  heldBaseMs?: number;
  /** One attempt, written over whatever stood under its number. */
  attempt?: Attempt;
};

const JSON_FIELDS = {
  request: 'request',
  appliedDefaults: 'applied',
  warnings: 'warnings',
  unknownSends: 'unknown',
  written: 'written',
  followUps: 'follow',
  candidates: 'candidates',
  result: 'result',
  error: 'error',
} as const;
const PLAIN_FIELDS = {
  attemptsSpent: 'spent',
  limitHits: 'limit_hits',
  probes: 'probes',
  epoch: 'epoch',
  fingerprint: 'fp',
  corrections: 'corrections',
  faults: 'faults',
  importId: 'import',
} as const;

const pairsOf = <K extends string>(fields: Record<K, string>) => Object.entries(fields) as [K, string][];
const JSON_PAIRS = pairsOf(JSON_FIELDS);
const PLAIN_PAIRS = pairsOf(PLAIN_FIELDS);

/** So many characters beyond Latin-1 are escaped; a text in another script would only grow. */
const ESCAPED_MAX = 20;

/**
 * JSON for a command to Redis. One character beyond Latin-1 (the euro sign of a formatted amount) makes all that is written
 * together a string of two bytes a character, which is twice as dear to put together and to send.
 */
function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  const wide = text.match(/[^\0-\xff]/g);
  if (!wide || wide.length > ESCAPED_MAX) return text;
  return text.replace(/[^\0-\xff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A patch as `field, value, …` for a script. Absent stays untouched; null or undefined given explicitly clears. */
export function encodePatch(patch: JobPatch): string[] {
  const out: string[] = [];
  for (const [key, field] of JSON_PAIRS) {
    if (key in patch) {
      const value = patch[key];
      out.push(field, value === undefined || value === null ? '' : toJson(value));
    }
  }
  for (const [key, field] of PLAIN_PAIRS) {
    if (key in patch) out.push(field, String(patch[key] ?? ''));
  }
  if ('nextAttemptAtMs' in patch)
    out.push('next_at', patch.nextAttemptAtMs ? String(patch.nextAttemptAtMs) : '');
  if ('waitReason' in patch) out.push('wait_reason', patch.waitReason ?? '');
  if ('inFlight' in patch) out.push('sending', '');
  if ('firstAttemptAtMs' in patch) out.push('first_at', String(patch.firstAttemptAtMs ?? ''));
  if ('heldBaseMs' in patch) out.push('held_base', String(patch.heldBaseMs));
  if (patch.attempt) out.push(`a${patch.attempt.number}`, JSON.stringify(patch.attempt));
  return out;
}

type Hash = Record<string, string>;

function parse<T>(text: string | undefined, fallback: T): T {
  // Written by encodePatch of this or an older schema version; shapes are checked where they enter the system.
  return text ? (JSON.parse(text) as T) : fallback;
}

const number = (text: string | undefined) => (text ? Number(text) : undefined);

function decodeAttempts(hash: Hash, last: number): Attempt[] {
  const attempts: Attempt[] = [];
  for (let n = Math.max(1, last - ATTEMPTS_KEPT + 1); n <= last; n++) {
    const text = hash[`a${n}`];
    if (text) attempts.push(JSON.parse(text));
  }
  return attempts;
}

/**
 * Reads a job hash.
 * @throws UnreadableRecord when a newer version of Dealwright wrote it, or it is damaged.
 */
export function decodeJob(id: string, hash: Hash): JobRecord {
  const schemaVersion = Number(hash.v);
  if (!(schemaVersion <= JOB_SCHEMA_VERSION)) {
    throw new UnreadableRecord(
      `Job ${id} has schema version ${hash.v}; this process reads up to ${JOB_SCHEMA_VERSION}. Update it.`,
    );
  }
  const status = JOB_STATUSES.find((known) => known === hash.status);
  if (!status) throw new UnreadableRecord(`Job ${id} has the unknown status "${hash.status}".`);
  const attemptNumber = Number(hash.n ?? 0);
  return {
    id,
    schemaVersion,
    workspace: hash.ws ?? '',
    account: hash.account ?? '',
    provider: ProviderName.parse(hash.provider),
    status,
    sequence: Number(hash.seq),
    generation: Number(hash.gen),
    createdAtMs: Number(hash.created),
    updatedAtMs: Number(hash.updated),
    finishedAtMs: number(hash.finished),
    nextAttemptAtMs: number(hash.next_at),
    waitReason: WAIT_REASONS.find((known) => known === hash.wait_reason),
    request: parse(hash.request, { query: { response_format: 'unified' }, body: {} }),
    appliedDefaults: parse(hash.applied, {}),
    warnings: parse(hash.warnings, []),
    idempotencyKey: hash.idem || undefined,
    idempotencyHash: hash.idem_hash || undefined,
    requestId: hash.req || undefined,
    traceparent: hash.trace || undefined,
    callbackUrl: hash.callback || undefined,
    importId: hash.import || undefined,
    rowEvents: hash.row_events === '1' || undefined,
    attempts: decodeAttempts(hash, attemptNumber),
    attemptNumber,
    attemptsSpent: Number(hash.spent ?? 0),
    limitHits: Number(hash.limit_hits ?? 0),
    firstAttemptAtMs: number(hash.first_at),
    heldBaseMs: Number(hash.held_base ?? 0),
    inFlight: parse(hash.sending, undefined),
    unknownSends: parse(hash.unknown, []),
    probes: Number(hash.probes ?? 0),
    epoch: Number(hash.epoch ?? 0),
    fingerprint: hash.fp || undefined,
    written: parse(hash.written, undefined),
    followUps: parse(hash.follow, {}),
    candidates: parse(hash.candidates, []),
    corrections: Number(hash.corrections ?? 0),
    faults: Number(hash.faults ?? 0),
    result: parse(hash.result, undefined),
    error: parse(hash.error, undefined),
  };
}

/** A new record as `field, value, …`. Empty values are left out: the hash stays small. */
export function encodeNewJob(job: JobRecord): string[] {
  const pairs: [string, string | undefined][] = [
    ['v', String(JOB_SCHEMA_VERSION)],
    ['ws', job.workspace],
    ['account', job.account],
    ['provider', job.provider],
    ['status', job.status],
    ['seq', String(job.sequence)],
    ['gen', String(job.generation)],
    ['created', String(job.createdAtMs)],
    ['updated', String(job.updatedAtMs)],
    ['request', JSON.stringify(job.request)],
    [
      'applied',
      Object.keys(job.appliedDefaults).length > 0 ? JSON.stringify(job.appliedDefaults) : undefined,
    ],
    ['warnings', job.warnings.length > 0 ? JSON.stringify(job.warnings) : undefined],
    ['idem', job.idempotencyKey],
    ['idem_hash', job.idempotencyHash],
    ['req', job.requestId],
    ['trace', job.traceparent],
    ['callback', job.callbackUrl],
    ['import', job.importId],
    ['row_events', job.rowEvents ? '1' : undefined],
  ];
  return pairs.flatMap(([field, value]) => (value ? [field, value] : []));
}

export type { JobStatus };
