import type { Warning } from '../domain/failure.ts';
import type { ProviderName } from '../domain/integrated-account.ts';
import type { JobRecord, JobRequest, JobStatus } from '../domain/job.ts';
import type { ScriptPart, ScriptReply } from '../redis/scripts.ts';
import type { JobPatch } from './job-codec.ts';

export type AcceptInput = {
  workspace: string;
  account: string;
  provider: ProviderName;
  request: JobRequest;
  appliedDefaults: Record<string, unknown>;
  warnings: Warning[];
  /** `fingerprint`: text without blanks that is equal for the same request only. */
  idempotency?: { key: string; fingerprint: string };
  requestId?: string;
  traceparent?: string;
  callbackUrl?: string;
  importId?: string;
  rowEvents?: boolean;
};

export type AcceptResult =
  | { kind: 'accepted'; job: JobRecord; bell: boolean }
  | { kind: 'replayed'; jobId: string }
  | { kind: 'key_reused'; jobId: string }
  | { kind: 'backlog_full'; open: number }
  | { kind: 'no_account' };

/** What an attempt rests on beside its record. */
export type StartWith = {
  /** How the gate is asked in the same step; see enter-and-start.lua. */
  gate: ScriptPart;
  /** See {@link Account.heldMs}. */
  heldMs: number;
  /** Content fingerprint of a create without marker: it may make a record that others could take for theirs. */
  alike?: string;
  /** Under this parent no create may be lost when this one, without marker, begins. */
  parentId?: string;
};

export type Started =
  /** `isProbe`: the provider was down, and this call is to see whether it still is. `entered`: all that the gate said. */
  | { kind: 'go'; sequence: number; isProbe?: true; entered: ScriptReply }
  | { kind: 'in_flight' }
  | { kind: 'not_this_one'; why: string }
  /** A create under the same parent is lost, or was: look whether it still is. */
  | { kind: 'parent_in_doubt' }
  /** The gate's answer: not yet. */
  | { kind: 'not_yet'; reply: ScriptReply };

export type Moved =
  | { kind: 'moved'; sequence: number; generation: number }
  /** The job is in a status from which this move is not allowed (`missing`: no record). */
  | { kind: 'refused'; status: JobStatus | 'missing' }
  /** A later attempt or generation exists, or an attempt is in flight. */
  | { kind: 'fenced' }
  /** Another job holds the remote id. */
  | { kind: 'claimed'; by: string };

export type Move = {
  to: JobStatus;
  /** Allowed present statuses; default: the transition table's. */
  from?: readonly JobStatus[];
  patch?: JobPatch;
  /** Must be the last attempt: a definite answer of an older run leaves it out. */
  attempt?: number;
  generation?: number;
  /** Claimed for this job in the same step. */
  remoteId?: string;
  newGeneration?: boolean;
  /** Refuse while an attempt is in flight. */
  onlyIdle?: boolean;
  /** Refuse while the outcome of an earlier send is unknown. */
  onlyUnsent?: boolean;
  /** Content fingerprint: others need not fear any more that this job made their record. */
  alike?: string;
  /** When the engine hands the job out again: the orphan sweep looks after that. */
  dueAtMs?: number;
  /** When the orphan sweep should look, exactly; default soon. */
  lookAtMs?: number;
  /** The end of the call that led here: the gate is told in the same step, see leave-and-move.lua. */
  farewell?: { part: ScriptPart; said: (reply: ScriptReply) => void };
};

/** The facts of a job by which a move finds its keys and its listeners. */
export type MovedJob = Pick<
  JobRecord,
  'id' | 'account' | 'idempotencyHash' | 'workspace' | 'callbackUrl' | 'importId' | 'rowEvents'
>;

/** Who is told of transitions; see stores/webhook-events.ts. */
export type JobEvents = {
  /** Milliseconds the event of this transition is kept, undefined when nobody listens. */
  keptMs(job: MovedJob, to: JobStatus): Promise<number | undefined>;
  /** The event is written; it is fanned out without being waited for. */
  written(event: { tag: number; id: string }): void;
};
