import { notFound, RestFailure } from '../errors.ts';
import { makeId } from '../ids.ts';
import { noContent, ok, type RestCall, type RestReply } from '../rest.ts';
import { bodyOf, requireMethod } from '../sobjects.ts';
import { getExternalField } from '../write/upsert.ts';
import { toCsv } from './csv.ts';
import { type DelimiterName, delimiters, describeJob, type Job, type Operation, operations } from './job.ts';
import { leaveUnprocessed, processJob } from './process.ts';

// Results live seven days, a job is open for one; a sandbox also bounds their number.
// Source: Bulk API and Bulk API 2.0 Limits and Allocations.
const resultsLifeMs = 7 * 86_400_000;
const openLifeMs = 86_400_000;
const jobsMax = 1_000;
// 150 MB after base64, which makes four bytes of three. Source: Bulk API 2.0, Upload Job Data.
const uploadBytesMax = (150 * 1024 * 1024 * 3) / 4;

/** `/jobs/ingest…`: Bulk 2.0. Source: Bulk API 2.0 and Bulk API Developer Guide. */
export function createBulkResource() {
  const jobs = new Map<string, Job>();
  const timers = new Set<NodeJS.Timeout>();
  let lastJob = 0;
  let batchesTaken = 0;

  function later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, delayMs);
    timer.unref();
    timers.add(timer);
  }

  function create(call: RestCall): RestReply {
    lastJob += 1;
    const job = parseJob(call, makeId('750', lastJob));
    jobs.set(job.id, job);
    const oldest = jobs.keys().next();
    if (jobs.size > jobsMax && !oldest.done) jobs.delete(oldest.value);
    return ok(describeJob(job, 'short'));
  }

  function upload(call: RestCall, job: Job): RestReply {
    requireMethod(call, ['PUT']);
    if (job.state !== 'Open')
      throw badState(`Job is in state ${job.state}, data can be uploaded only in state Open`);
    if (job.content !== undefined) {
      throw badState(`Found multiple contents for job: <${job.id}>, please make sure you only do 'PUT' once`);
    }
    if (call.context.nowMs() - job.createdAtMs > openLifeMs) throw badState('The job is older than a day');
    if (call.raw.length > uploadBytesMax) throw tooLarge();
    job.content = call.raw;
    return { status: 201 };
  }

  function change(call: RestCall, job: Job): RestReply {
    const { state } = bodyOf(call);
    const { nowMs, switches } = call.context;
    if (state === 'Aborted' && ['Open', 'UploadComplete', 'InProgress'].includes(job.state)) {
      if (job.state !== 'InProgress') leaveUnprocessed(job);
      job.state = 'Aborted';
      job.wake?.();
    } else if (state === 'UploadComplete' && job.state === 'Open') {
      job.state = 'UploadComplete';
      const context = {
        ...call.context,
        source: { kind: 'csv' as const, columnOf: () => 1 },
        callNumber: Infinity,
      };
      later(switches.bulk_delay_ms / 2, () => begin(job, context, switches.bulk_delay_ms / 2));
    } else {
      throw badState(`Job cannot go from state ${job.state} to ${String(state)}`);
    }
    job.changedAtMs = nowMs();
    return ok(describeJob(job, 'short'));
  }

  function begin(job: Job, context: RestCall['context'], delayMs: number): void {
    if (job.state !== 'UploadComplete') return;
    job.state = 'InProgress';
    later(delayMs, () => {
      if (job.state !== 'InProgress') return;
      const takeBatch = (): boolean => {
        if (batchesTaken >= context.switches.bulk_batches) return false;
        batchesTaken += 1;
        return true;
      };
      void processJob(job, context, { takeBatch }).then(() => {
        job.changedAtMs = context.nowMs();
      });
    });
  }

  function handleJob(call: RestCall, job: Job): RestReply {
    requireMethod(call, ['GET', 'PATCH', 'DELETE']);
    if (call.method === 'PATCH') return change(call, job);
    if (call.method === 'GET') return ok(describeJob(job, 'full'));
    // Source: Bulk API 2.0, Delete a Job.
    if (['Open', 'InProgress'].includes(job.state))
      throw badState(`Job in state ${job.state} cannot be deleted`);
    jobs.delete(job.id);
    return noContent;
  }

  return {
    handle(call: RestCall): RestReply {
      const [, kind, id, part] = call.segments;
      if (kind !== 'ingest') throw new RestFailure(notFound());
      if (id === undefined || id === '') {
        if (call.method === 'POST') return create(call);
        requireMethod(call, ['GET', 'POST']);
        const records = [...jobs.values()].map((job) => describeJob(job, 'short'));
        return ok({ done: true, records, nextRecordsUrl: null });
      }
      const job = jobs.get(id);
      const isGone = job === undefined || call.context.nowMs() - job.createdAtMs > resultsLifeMs;
      if (isGone) throw new RestFailure(notFound());
      if (part === undefined || part === '') return handleJob(call, job);
      if (part === 'batches') return upload(call, job);
      requireMethod(call, ['GET']);
      return results(job, part);
    },
    /** For `/limits`. */
    allocation(max: number): { Max: number; Remaining: number } {
      return { Max: max, Remaining: Math.max(0, max - batchesTaken) };
    },
    /** Stops the work that is under way. */
    stop(): void {
      for (const timer of timers) clearTimeout(timer);
      for (const job of jobs.values()) job.state = 'Aborted';
    },
  };
}

function results(job: Job, part: string): RestReply {
  if (!['JobComplete', 'Failed', 'Aborted'].includes(job.state)) throw badState('Job is not finished');
  const files: Record<string, string[][]> = {
    successfulResults: [['sf__Id', 'sf__Created', ...job.header], ...job.succeeded],
    failedResults: [['sf__Id', 'sf__Error', ...job.header], ...job.failed],
    unprocessedrecords: [job.header, ...job.unprocessed],
  };
  const rows = files[part];
  if (rows === undefined) throw new RestFailure(notFound());
  return { status: 200, body: toCsv(rows, delimiters[job.delimiter]), contentType: 'text/csv' };
}

function parseJob(call: RestCall, id: string): Job {
  const body = bodyOf(call);
  const object = call.context.org.object(String(body.object ?? ''));
  if (object === undefined) throw badJob(`The object ${String(body.object)} is not supported`);
  const operation = operations.find((name): name is Operation => name === body.operation);
  if (operation === undefined) throw badJob(`Unknown operation ${String(body.operation)}`);
  const delimiter = body.columnDelimiter ?? 'COMMA';
  if (!isDelimiter(delimiter)) throw badJob(`Unknown columnDelimiter ${String(delimiter)}`);
  if ((body.contentType ?? 'CSV') !== 'CSV') throw badJob(`Unknown contentType ${String(body.contentType)}`);
  let externalIdFieldName: string | undefined;
  if (operation === 'upsert') {
    if (typeof body.externalIdFieldName !== 'string')
      throw badJob('externalIdFieldName is required for upsert');
    externalIdFieldName = getExternalField(object, body.externalIdFieldName).name;
  }
  const nowMs = call.context.nowMs();
  return {
    id,
    object: object.name,
    operation,
    externalIdFieldName,
    delimiter,
    lineEnding: body.lineEnding === 'CRLF' ? 'CRLF' : 'LF',
    version: call.version,
    userId: call.context.userId,
    createdAtMs: nowMs,
    changedAtMs: nowMs,
    state: 'Open',
    content: undefined,
    header: [],
    succeeded: [],
    failed: [],
    unprocessed: [],
    errorMessage: undefined,
    wake: undefined,
  };
}

function isDelimiter(name: unknown): name is DelimiterName {
  return typeof name === 'string' && Object.hasOwn(delimiters, name);
}

function badJob(message: string): RestFailure {
  return new RestFailure({ code: 'INVALIDJOB', message });
}

function tooLarge(): RestFailure {
  const message = `The upload exceeds ${uploadBytesMax} bytes`;
  return new RestFailure({ code: 'EXCEEDED_MAX_SIZE_REQUEST', message, status: 413 });
}

function badState(message: string): RestFailure {
  return new RestFailure({ code: 'INVALIDJOBSTATE', message });
}
