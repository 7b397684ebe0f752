import type { WriteFailure, WriteOutcome } from '../domain/failure.ts';
import type { AccountSettings } from '../domain/integrated-account.ts';
import type { AnsweredCall, Call, Looked, ProviderRequest, WritePlan } from './port.ts';

/** One row on its way in a batch; `key` is its marker value (its job's id), unique in the batch. */
export type BatchRow = { key: string; plan: WritePlan };

/** What a batch's answer says of one row. `created: false`: the key had its record already. */
export type BatchRowOutcome = { outcome: WriteOutcome; created?: boolean };

export type BatchReading =
  /** One outcome per row, in the order of the request. */
  | { kind: 'rows'; outcomes: BatchRowOutcome[] }
  /** The whole call failed; `ambiguous`: each of its rows may have been written. */
  | { kind: 'whole'; failure: WriteFailure };

/**
 * Many creates in one call, for accounts whose marker is a unique key of the provider's own: sending a batch twice cannot
 * make two records of one row. Pure, like the rest of a descriptor.
 */
export type BatchDescriptor = {
  rowsMax: number;
  /** Bytes of the request's body. */
  bytesMax: number;
  /** Rows of a bulk job of the provider's own ({@link BulkClient}); absent: it has none. */
  bulkRowsMax?: number;
  /** Whether this account's settings allow it: an external-id marker. */
  isPossible: (settings: AccountSettings) => boolean;
  /**
   * Whether this row may go in a batch: no follow-up calls, no remote query, and nothing that may only be written at
   * creation (a batch may be sent twice). The others are written singly.
   */
  canCarry: (plan: WritePlan) => boolean;
  /** The upsert of all rows by their keys: one request with `purpose: 'create'`. */
  request: (rows: readonly BatchRow[], settings: AccountSettings) => ProviderRequest;
  /** What its answer means, row by row. Unknown = ambiguous. */
  read: (answer: AnsweredCall, rows: readonly BatchRow[], request: ProviderRequest) => BatchReading;
  /** Which keys have a record: reads, at most `rowsMax` keys at once. */
  findRequest: (keys: readonly string[], settings: AccountSettings) => ProviderRequest;
  /** Key → remote id; undefined when the answer cannot be read as that. */
  readFound: (answer: AnsweredCall, settings: AccountSettings) => Map<string, string> | undefined;
};

/** How a bulk job of the provider stands. */
export type BulkJobState =
  | { kind: 'open' }
  | { kind: 'working'; processed: number; failed: number }
  /** Whatever way it ended, some rows may have been written and some not. */
  | { kind: 'done'; ended: BulkEnd; message?: string }
  /** Deleted or expired there: nobody can say what became of its rows but the records themselves. */
  | { kind: 'gone'; message: string };
export type BulkEnd = 'complete' | 'failed' | 'aborted';

export type BulkResults = {
  /** By key: what was written and what was refused. */
  outcomes: Map<string, BatchRowOutcome>;
  /** Keys the provider says it has not begun with. A key that is nowhere may have been written. */
  unprocessed: Set<string>;
};

/** The file of a bulk job while it is put together: the same text for the same rows. */
export type BulkFile = {
  /** @returns false when it is full: the row, and all after it, are not in it. */
  add: (row: BatchRow) => boolean;
  rows: () => number;
  text: () => string;
};

/**
 * A bulk job of the provider's own: the rows travel in one file and are worked there, later. One call a function;
 * `bulk-steps.ts` has the order and what a lost answer means. Stateless.
 */
export type BulkClient = {
  /** Whether the file can say what this row says; the others go in batches or singly. */
  canCarry: (plan: WritePlan) => boolean;
  newFile: (settings: AccountSettings) => BulkFile;
  open: (call: Call, settings: AccountSettings) => Promise<Looked<string>>;
  upload: (call: Call, settings: AccountSettings, jobId: string, text: string) => Promise<Looked<void>>;
  /** From here on the rows are written. */
  close: (call: Call, settings: AccountSettings, jobId: string) => Promise<Looked<void>>;
  state: (call: Call, settings: AccountSettings, jobId: string) => Promise<Looked<BulkJobState>>;
  results: (
    call: Call,
    settings: AccountSettings,
    jobId: string,
    ended: BulkEnd,
  ) => Promise<Looked<BulkResults>>;
  /** What it has begun with may still be finished there. */
  abort: (call: Call, settings: AccountSettings, jobId: string) => Promise<Looked<void>>;
  /** What an answer that was no success means for the job as a whole. Pure. */
  judge: (answer: AnsweredCall) => WriteFailure;
};
