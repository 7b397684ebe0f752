import { wireDatetime } from '../read/represent.ts';

export type JobState = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';
export const operations = ['insert', 'update', 'upsert', 'delete', 'hardDelete'] as const;
export type Operation = (typeof operations)[number];

// Source: Bulk API 2.0 and Bulk API Developer Guide, Create a Job.
export const delimiters = {
  COMMA: ',',
  SEMICOLON: ';',
  TAB: '\t',
  PIPE: '|',
  CARET: '^',
  BACKQUOTE: '`',
} as const;
export type DelimiterName = keyof typeof delimiters;

export type Job = {
  id: string;
  object: string;
  operation: Operation;
  externalIdFieldName: string | undefined;
  delimiter: DelimiterName;
  lineEnding: 'LF' | 'CRLF';
  version: string;
  userId: string;
  createdAtMs: number;
  changedAtMs: number;
  state: JobState;
  content: Buffer | undefined;
  header: string[];
  succeeded: string[][];
  failed: string[][];
  unprocessed: string[][];
  errorMessage: string | undefined;
  /** Ends the pause between two chunks, so that an abort takes effect at once. */
  wake: (() => void) | undefined;
};

/** What the job resource answers; the detailed form is that of a GET. */
export function describeJob(job: Job, form: 'short' | 'full'): Record<string, unknown> {
  const short = {
    id: job.id,
    operation: job.operation,
    object: job.object,
    createdById: job.userId,
    createdDate: wireDatetime(job.createdAtMs),
    systemModstamp: wireDatetime(job.changedAtMs),
    state: job.state,
    ...(job.externalIdFieldName === undefined ? {} : { externalIdFieldName: job.externalIdFieldName }),
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    // A number, unlike everywhere else.
    apiVersion: Number(job.version),
    // No leading slash. Source: Bulk API 2.0, Create a Job.
    contentUrl: `services/data/v${job.version}/jobs/ingest/${job.id}/batches`,
    lineEnding: job.lineEnding,
    columnDelimiter: job.delimiter,
  };
  if (form === 'short') return short;
  return {
    ...short,
    jobType: 'V2Ingest',
    retries: 0,
    totalProcessingTime: job.changedAtMs - job.createdAtMs,
    apiActiveProcessingTime: 0,
    apexProcessingTime: 0,
    numberRecordsProcessed: job.succeeded.length + job.failed.length,
    numberRecordsFailed: job.failed.length,
    ...(job.errorMessage === undefined ? {} : { errorMessage: job.errorMessage }),
  };
}
