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

export type BulkJobState =
  | { kind: 'open' }
  | { kind: 'working'; processed: number; failed: number }
  | { kind: 'done' }
  | { kind: 'gone'; message: string };

/** A bulk job of the provider's own (Bulk API 2.0), one step a call; stateless. */
export type BulkClient = {
  rowsMax: number;
  bytesMax: number;
  /** The job's id is stored before anything is uploaded. */
  open: (call: Call, settings: AccountSettings, columns: readonly string[]) => Promise<Looked<string>>;
  /** CSV of the rows, as it is uploaded. Pure. */
  toCsv: (rows: readonly BatchRow[], settings: AccountSettings) => { columns: string[]; text: string };
  upload: (call: Call, jobId: string, csv: string) => Promise<Looked<void>>;
  close: (call: Call, jobId: string) => Promise<Looked<void>>;
  state: (call: Call, jobId: string) => Promise<Looked<BulkJobState>>;
  /** By key; rows the provider did not process are absent. */
  results: (
    call: Call,
    jobId: string,
    settings: AccountSettings,
  ) => Promise<Looked<Map<string, BatchRowOutcome>>>;
  abort: (call: Call, jobId: string) => Promise<Looked<void>>;
};
