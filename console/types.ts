/** What the console reads of the public API's answers (`/openapi.json` has them whole). Types only: nothing of this file is served. */
import type { TemplateResult } from 'lit-html';
import type { Problem } from './api.js';

export type JobStatus =
  | 'queued'
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'needs_review';

export type ApiProblem = {
  statusCode: number;
  code: string;
  message: string;
  request_id?: string;
  details?: { failures: { pointer: string; code: string; message: string }[] };
};

export type Attempt = {
  number: number;
  started_at: string;
  duration_ms: number | null;
  outcome: string | null;
  http_status: number | null;
  code: string | null;
  message: string | null;
  request?: unknown;
  response?: unknown;
};

export type Job = {
  id: string;
  status: JobStatus;
  provider: string;
  integrated_account_id: string;
  import_id: string | null;
  created_at: string;
  updated_at: string;
  finished_at: string | null;
  next_attempt_at: string | null;
  wait_reason: string | null;
  warnings: { code: string; pointer?: string; message: string }[];
  applied_defaults: Record<string, unknown>;
  idempotency_key: string | null;
  request: { query: Record<string, unknown>; body: Record<string, unknown> };
  attempts: Attempt[];
  candidates?: { remote_id: string; url: string; why: string }[];
  result: unknown;
  error: ApiProblem | null;
};

export type Account = {
  id: string;
  name: string;
  provider: string;
  status: 'active' | 'paused' | 'needs_reauth' | 'deleting';
  settings: Record<string, unknown>;
  limits: {
    limit: number | null;
    remaining: number | null;
    reset_at: string | null;
    blocked_until: string | null;
    source: string | null;
  };
  queue: { waiting: number; running: number; delayed: number };
  last_error: { code: string; message: string; at: string } | null;
  created_at: string;
};

export type AccountCheck = {
  ok: boolean;
  checked_at: string;
  user: string | null;
  organisation: string | null;
  facts: { stages: number; owners: number; custom_fields: number } | null;
  marker: { ok: boolean; field: string; message: string | null } | null;
  error: { code: string; message: string } | null;
};

export type ImportCounts = {
  total: number;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  needs_review: number;
  cancelled: number;
  duplicate: number;
};

export type Import = {
  id: string;
  status: 'receiving' | 'queued' | 'running' | 'paused' | 'completed' | 'cancelled' | 'failed';
  integrated_account_id: string;
  provider: string;
  strategy: string;
  strategy_reason: string | null;
  format: string;
  counts: ImportCounts;
  warnings: { code: string; message: string; rows: number; first_row: number }[];
  rows_per_second: number | null;
  eta_seconds: number | null;
  created_at: string;
  finished_at: string | null;
  error: ApiProblem | null;
};

export type ImportRow = {
  row: number;
  line: number;
  status: string;
  remote_id: string | null;
  code: string | null;
  message: string | null;
  pointer: string | null;
};

export type Endpoint = {
  id: string;
  url: string;
  events: string[];
  description: string | null;
  status: 'enabled' | 'disabled';
  disabled_reason: string | null;
  created_at: string;
};

export type Delivery = {
  id: string;
  type: string;
  status: 'pending' | 'delivered' | 'failed';
  reason: string | null;
  created_at: string;
  next_try_at: string | null;
  try_count: number;
  tries: {
    number: number;
    at: string;
    duration_ms: number;
    status_code: number | null;
    error: string | null;
    response_body: string | null;
  }[];
};

export type List<T> = { data: T[]; next_cursor: string | null };

/** What could be read, or why not. */
export type Tried<T> = { value: T } | { problem: Problem };

/** Where the reader is: `#/jobs/ID?status=failed` → `{ id: 'ID', query }`. */
export type Place = { id: string; query: URLSearchParams };

/** What an action came to: what to say of it, and where it is to be seen, to which the reader is led if still on the page where it began. */
export type Done = { said?: string; goTo?: string } | undefined;

/** What a page may ask of the frame around it. */
export type Frame = {
  /** Does what a button says, one at a time, tells what came of it or why it was refused, and reads the page anew. */
  act(what: () => Promise<Done>): Promise<void>;
  /** Does what takes its time and changes nothing; the page goes on meanwhile. `doing` is said until it is there. */
  fetchBeside(doing: string, what: () => Promise<void>): Promise<void>;
  /** Draws the page again with what is known. */
  redraw(): void;
};

/** One page: `load` reads what it shows, `view` draws it. */
export type Page<T> = {
  title: string;
  /** How often it is read anew while somebody looks at it (ms); 0: not at all. */
  everyMs: number;
  load(): Promise<T>;
  view(shown: T): TemplateResult;
};
