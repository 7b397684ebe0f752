import type { WriteFailure } from '../domain/failure.ts';
import type { AccountSettings } from '../domain/integrated-account.ts';
import type { BulkClient, BulkEnd, BulkResults } from './batch-port.ts';
import type { Call, CallResult } from './port.ts';

/** How far a bulk job has come. Plain data: it is stored after every step, and a step begins from what is stored. */
export type BulkProgress =
  /** Nothing of it is to be written: whoever finds it goes on with giving it up. `jobId`: '' where no job was opened. */
  | { step: 'giving_up'; jobId: string }
  /** Nothing was uploaded. */
  | { step: 'opened'; jobId: string }
  /** Stored before the upload: whoever finds it does not know whether the file arrived. */
  | { step: 'uploading'; jobId: string }
  | { step: 'uploaded'; jobId: string }
  /** From here on rows are written. */
  | { step: 'closed'; jobId: string; polls: number }
  | { step: 'done'; jobId: string; ended: BulkEnd; message?: string; tries: number };

export type BulkStep =
  | { kind: 'go_on'; progress: BulkProgress | undefined; waitMs: number }
  /** Not now: the call was deferred, refused for a while or lost. The same step can be made again. */
  | { kind: 'stopped'; progress: BulkProgress | undefined; result: CallResult }
  /** Another run has the job: nothing was done. */
  | { kind: 'taken' }
  /** Not this way: nothing was written; the rows must travel otherwise. */
  | { kind: 'refused'; failure: WriteFailure }
  /**
   * Rows that are in neither part may have been written: they are asked for by their keys, or sent again in a batch, which
   * their keys make harmless.
   */
  | ({ kind: 'ended'; message?: string } & BulkResults);

export type BulkStepInput = {
  client: BulkClient;
  call: Call;
  settings: AccountSettings;
  /** Undefined: there is no job yet. */
  progress: BulkProgress | undefined;
  /** The file of the job's rows, made only where it is uploaded. */
  file: () => Promise<string>;
  /** Makes progress durable before the upload begins; false: another run has the job. */
  save: (progress: BulkProgress) => Promise<boolean>;
};

/** Result files that cannot be read this often are given up: the records themselves can be asked. */
const RESULT_TRIES_MAX = 4;
const FIRST_POLL_MS = 1_000;
const POLL_GROWTH = 2;
const POLL_MS_MAX = 60_000;

/** Time until the job is asked for the next time; each time is a metered call, so the intervals grow. Pure. */
export function bulkPollDelayMs(polls: number): number {
  return Math.min(POLL_MS_MAX, Math.round(FIRST_POLL_MS * POLL_GROWTH ** polls));
}

/**
 * Makes one step of a bulk job: opened → uploaded → closed → done → its results. A job of which it is not known whether its
 * file arrived is never closed: it is aborted and another one opened, so that no row is in two files. After the closing
 * nothing is sent again before the job has ended.
 */
export function advanceBulk(input: BulkStepInput): Promise<BulkStep> {
  const { progress } = input;
  switch (progress?.step) {
    case 'giving_up':
      return Promise.resolve({ kind: 'taken' });
    case undefined:
      return openJob(input);
    case 'opened':
      return uploadFile(input, progress.jobId);
    case 'uploading':
      return abandon(input, progress.jobId);
    case 'uploaded':
      return closeJob(input, progress.jobId);
    case 'closed':
      return pollJob(input, progress);
    case 'done':
      return readResults(input, progress);
  }
}

/** A job whose opening was not heard of stays empty and open; the provider clears it away. */
async function openJob({ client, call, settings }: BulkStepInput): Promise<BulkStep> {
  const opened = await client.open(call, settings);
  if (!opened.ok) return refusedOrStopped(client, opened.result, undefined);
  return { kind: 'go_on', progress: { step: 'opened', jobId: opened.value }, waitMs: 0 };
}

async function uploadFile(input: BulkStepInput, jobId: string): Promise<BulkStep> {
  const { client, call, settings, file, save } = input;
  const text = await file();
  if (!(await save({ step: 'uploading', jobId }))) return { kind: 'taken' };
  const uploaded = await client.upload(call, settings, jobId, text);
  if (uploaded.ok) return { kind: 'go_on', progress: { step: 'uploaded', jobId }, waitMs: 0 };
  const { result } = uploaded;
  if (isUnsent(result)) return { kind: 'stopped', progress: { step: 'opened', jobId }, result };
  await abandon(input, jobId);
  return refusedOrStopped(client, result, undefined);
}

/** Whether the abort is heard or not: a job that is never closed is never worked. */
async function abandon({ client, call, settings }: BulkStepInput, jobId: string): Promise<BulkStep> {
  await client.abort(call, settings, jobId);
  return { kind: 'go_on', progress: undefined, waitMs: 0 };
}

async function closeJob(input: BulkStepInput, jobId: string): Promise<BulkStep> {
  const { client, call, settings } = input;
  const closed = await client.close(call, settings, jobId);
  const isClosed: BulkStep = {
    kind: 'go_on',
    progress: { step: 'closed', jobId, polls: 0 },
    waitMs: bulkPollDelayMs(0),
  };
  if (closed.ok) return isClosed;
  const same = { step: 'uploaded', jobId } as const;
  if (isUnsent(closed.result)) return { kind: 'stopped', progress: same, result: closed.result };
  // The answer was lost, or says that the job is past its closing already: the job itself knows.
  const looked = await client.state(call, settings, jobId);
  if (!looked.ok) return { kind: 'stopped', progress: same, result: looked.result };
  if (looked.value.kind === 'gone') return allUnknown(looked.value.message);
  if (looked.value.kind !== 'open') return isClosed;
  const step = refusedOrStopped(client, closed.result, same);
  if (step.kind === 'refused') await abandon(input, jobId);
  return step;
}

async function pollJob(
  { client, call, settings }: BulkStepInput,
  progress: Extract<BulkProgress, { step: 'closed' }>,
): Promise<BulkStep> {
  const { jobId } = progress;
  const looked = await client.state(call, settings, jobId);
  if (!looked.ok) return { kind: 'stopped', progress, result: looked.result };
  const state = looked.value;
  switch (state.kind) {
    case 'open':
      return { kind: 'go_on', progress: { step: 'uploaded', jobId }, waitMs: 0 };
    case 'working': {
      const polls = progress.polls + 1;
      return { kind: 'go_on', progress: { ...progress, polls }, waitMs: bulkPollDelayMs(polls) };
    }
    case 'done': {
      const { kind: _, ...end } = state;
      return { kind: 'go_on', progress: { step: 'done', jobId, ...end, tries: 0 }, waitMs: 0 };
    }
    case 'gone':
      return allUnknown(state.message);
  }
}

async function readResults(
  { client, call, settings }: BulkStepInput,
  progress: Extract<BulkProgress, { step: 'done' }>,
): Promise<BulkStep> {
  const { jobId, ended, message, tries } = progress;
  const read = await client.results(call, settings, jobId, ended);
  if (!read.ok) {
    const { result } = read;
    if (isUnsent(result)) return { kind: 'stopped', progress, result };
    if (tries + 1 >= RESULT_TRIES_MAX) return allUnknown('the result files could not be read');
    return { kind: 'stopped', progress: { ...progress, tries: tries + 1 }, result };
  }
  const { outcomes, unprocessed } = read.value;
  // What an aborted job had begun with may still be on its way although it is listed as not begun.
  const left = ended === 'aborted' ? new Set<string>() : unprocessed;
  return { kind: 'ended', outcomes, unprocessed: left, ...(message === undefined ? {} : { message }) };
}

function allUnknown(message: string): BulkStep {
  return { kind: 'ended', outcomes: new Map(), unprocessed: new Set(), message };
}

/** Provably nothing of the request reached the provider, or it was turned away at the door. */
function isUnsent({ kind }: CallResult): boolean {
  return kind === 'not_sent' || kind === 'deferred' || kind === 'needs_reauth';
}

function refusedOrStopped(
  client: BulkClient,
  result: CallResult,
  progress: BulkProgress | undefined,
): BulkStep {
  if (result.kind === 'answered') {
    const failure = client.judge(result);
    if (failure.kind === 'permanent') return { kind: 'refused', failure };
  }
  return { kind: 'stopped', progress, result };
}
