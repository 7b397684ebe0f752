import { z } from 'zod';
import { STRATEGIES } from '../../domain/import.ts';
import { ON_UNSUPPORTED } from '../../domain/integrated-account.ts';
import { type ImportView as Import, ImportView } from '../import-view.ts';
import { defineOperation } from '../operation.ts';
import { queryBoolean, queryInteger, queryList, queryUuid } from '../query-types.ts';

// A list of operations, each with its examples; what is long about it are the words of the OpenAPI document.

const ImportParams = z.object({ id: z.string().max(64).meta({ description: 'Id of the import.' }) });

const EXAMPLE: Import = {
  id: '019b0c7e-6d1f-8000-8000-5f2e8a7d0b2a',
  object: 'import',
  status: 'running',
  integrated_account_id: '62f44730-dd91-461e-bd6a-aedd9e0ad79d',
  provider: 'close',
  strategy: 'single',
  strategy_reason: 'Each row is a call of its own: close takes one record a call.',
  format: 'csv',
  options: { strategy: 'auto', max_errors: 100, row_events: false, on_unsupported: null, mapping: null },
  counts: {
    total: 12_000,
    queued: 8_000,
    running: 60,
    succeeded: 3_930,
    failed: 8,
    needs_review: 0,
    cancelled: 0,
    duplicate: 2,
  },
  warnings: [
    {
      code: 'unsupported_field',
      pointer: '/tags',
      message: 'Close has no tags on opportunities',
      rows: 412,
      first_row: 3,
    },
  ],
  rows_per_second: 39.4,
  eta_seconds: 205,
  created_at: '2026-01-15T09:30:00.000Z',
  updated_at: '2026-01-15T09:31:40.000Z',
  started_at: '2026-01-15T09:30:01.000Z',
  finished_at: null,
  idempotency_key: 'deals-2026-01-15',
  revision: 8_032,
  results_url: '/imports/019b0c7e-6d1f-8000-8000-5f2e8a7d0b2a/results',
  error: null,
};

const oneImport = (description: string) => ({ description, schema: ImportView, example: EXAMPLE });

/** `{"Deal": "name", "Notes": null}` in a query parameter. */
const Mapping = z
  .string()
  .max(20_000)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON, as {"Deal":"name","Notes":null}' });
      return z.NEVER;
    }
  })
  .pipe(
    z.record(z.string().min(1).max(255), z.string().min(1).max(500).nullable(), {
      error: 'must be an object of columns and unified paths, as {"Deal":"name","Notes":null}',
    }),
  )
  .meta({
    description:
      'JSON object: column (or key) → unified path, as `{"Deal":"name","Lead":"account.id"}`; null leaves a column out.',
    openapi: { type: 'string' },
  });

const ROWS_EXAMPLE = 'name,account.id,amount,dedupe_key\nAcme: 50 seats,lead_1,12500,crm-1\n';
const upload = { schema: z.string(), example: ROWS_EXAMPLE };

const Report = z
  .object({
    object: z.literal('import_report'),
    valid: z.boolean(),
    strategy: z.enum(STRATEGIES),
    strategy_reason: z.string(),
    counts: z.object({ total: z.int(), valid: z.int(), failed: z.int(), with_warnings: z.int() }),
    errors_by_code: z.record(z.string(), z.int()),
    warnings_by_code: z.record(z.string(), z.int()),
    errors: z
      .array(
        z.object({
          row: z.int(),
          line: z.int(),
          failures: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
        }),
      )
      .meta({ description: 'The first 100 rows that cannot be written.' }),
    requests: z
      .array(z.object({ row: z.int(), method: z.string(), path: z.string(), body: z.unknown() }))
      .meta({ description: 'What would be sent for the first 20 rows that can.' }),
  })
  .meta({ id: 'ImportReport' });
export type ImportReport = z.infer<typeof Report>;

export const createImport = defineOperation({
  id: 'createImport',
  method: 'post',
  path: '/imports',
  tag: 'Imports',
  summary: 'Import many opportunities from one file',
  description:
    'The body is streamed: CSV, NDJSON, or a JSON array, gzip if you like. Answered once the whole is on disk; a broken upload leaves nothing. CSV headers are dotted unified paths (`account.id`, `contact.0.id`, `custom_fields.Foo`) or named by `mapping`. A column `dedupe_key` makes a row at most once across the imports of the account.',
  scope: 'imports:write',
  query: z.strictObject({
    integrated_account_id: queryUuid('The integrated account to write to.'),
    dry_run: queryBoolean(
      'Checks every row and shows what would be sent; nothing is stored or sent.',
    ).optional(),
    mapping: Mapping.optional(),
    on_unsupported: z.enum(ON_UNSUPPORTED).optional().meta({
      description:
        "What to do with a field the provider has no place for. Default: the account's setting, else `warn`.",
    }),
    strategy: z
      .enum(STRATEGIES)
      .optional()
      .meta({
        description:
          'How rows are written. `auto`: many in one call where the account has a unique marker (in bulk jobs of the provider when that would take too many of its daily calls), else singly. 400 where the account cannot do what is asked.',
        openapi: { type: 'string', enum: [...STRATEGIES], default: 'auto' },
      }),
    max_errors: queryInteger(1, 999_999_999, 'Failed rows after which no further row is begun.').optional(),
    row_events: queryBoolean('Sends `job.*` webhooks for rows, too.').optional(),
  }),
  headers: z.object({
    'idempotency-key': z
      .string()
      .regex(/^[\x20-\x7e]{1,255}$/, { error: 'must be 1 to 255 printable ASCII characters' })
      .optional()
      .meta({ description: 'The same key and body give the same import, never a second one.' }),
  }),
  uploads: {
    'text/csv': upload,
    'application/x-ndjson': { schema: z.string(), example: '{"name":"Acme","account":{"id":"lead_1"}}\n' },
    'application/json': {
      schema: z.array(z.unknown()),
      example: [{ name: 'Acme', account: { id: 'lead_1' } }],
    },
  },
  responses: {
    200: {
      description: '`dry_run=true`: what would become of it.',
      schema: Report,
      example: {
        object: 'import_report',
        valid: true,
        strategy: 'single',
        strategy_reason: 'Each row is a call of its own: close takes one record a call.',
        counts: { total: 1, valid: 1, failed: 0, with_warnings: 0 },
        errors_by_code: {},
        warnings_by_code: {},
        errors: [],
        requests: [{ row: 1, method: 'POST', path: '/api/v1/opportunity/', body: { lead_id: 'lead_1' } }],
      },
    },
    202: {
      ...oneImport('On disk and queued.'),
      headers: {
        Location: 'Where to read it.',
        'Idempotency-Replayed': '`true` when the key was used before.',
      },
    },
  },
  errors: [
    'not_found',
    'invalid_import',
    'import_too_large',
    'unsupported_media_type',
    'idempotency_key_reused',
    'idempotency_key_in_progress',
    'conflict',
    'accept_timed_out',
  ],
});

export const listImports = defineOperation({
  id: 'listImports',
  method: 'get',
  path: '/imports',
  tag: 'Imports',
  summary: 'List imports, newest first',
  scope: 'imports:read',
  query: z.strictObject({
    integrated_account_id: queryUuid('Imports of one integrated account.').optional(),
    cursor: z.string().min(1).max(200).optional().meta({ description: '`next_cursor` of the page before.' }),
    limit: queryInteger(1, 200, 'Imports per page. Default 50.').optional(),
  }),
  responses: {
    200: {
      description: 'One page.',
      schema: z
        .object({ object: z.literal('list'), data: z.array(ImportView), next_cursor: z.string().nullable() })
        .meta({ id: 'ImportList' }),
      example: { object: 'list', data: [EXAMPLE], next_cursor: null },
    },
  },
  errors: ['not_found'],
});

export const getImport = defineOperation({
  id: 'getImport',
  method: 'get',
  path: '/imports/{id}',
  tag: 'Imports',
  summary: 'Read an import',
  scope: 'imports:read',
  params: ImportParams,
  query: z.strictObject({ wait: queryInteger(0, 60, 'Seconds to wait until it has ended.').optional() }),
  responses: { 200: oneImport('As it is now, or as it is once the wait is over.') },
});

export const getImportResults = defineOperation({
  id: 'getImportResults',
  method: 'get',
  path: '/imports/{id}/results',
  tag: 'Imports',
  summary: 'Every row with what became of it',
  description:
    'Streamed in the order of the upload: the original columns or object, then `row`, `line`, `status`, `remote_id`, `code`, `message`, `pointer`. May be read at any time.',
  scope: 'imports:read',
  params: ImportParams,
  query: z.strictObject({
    format: z.enum(['ndjson', 'csv']).optional().meta({ description: 'Default `ndjson`.' }),
    status: queryList(
      z.enum(['queued', 'running', 'succeeded', 'failed', 'needs_review', 'cancelled', 'duplicate']),
      20,
      'Only rows of these statuses: `status=failed,needs_review`.',
      1,
    ).optional(),
  }),
  responses: {
    200: {
      description: 'One row a line.',
      schema: z.string(),
      example: '{"name":"Acme","row":1,"line":2,"status":"succeeded","remote_id":"oppo_1","code":null}\n',
      contentType: 'application/x-ndjson',
      also: {
        'text/csv': 'name,row,line,status,remote_id,code,message,pointer\nAcme,1,2,succeeded,oppo_1,,,\n',
      },
    },
  },
});

export const getImportEvents = defineOperation({
  id: 'getImportEvents',
  method: 'get',
  path: '/imports/{id}/events',
  tag: 'Imports',
  summary: 'Follow an import by server-sent events',
  description:
    '`event: progress` with the import as data and its `revision` as id, at most two a second; `event: end` is the last. A comment every 15 s keeps the connection open. With `Last-Event-ID` nothing older is sent again.',
  scope: 'imports:read',
  params: ImportParams,
  headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
  responses: {
    200: {
      description: 'A stream that ends with the import.',
      schema: z.string(),
      contentType: 'text/event-stream',
      headers: { 'X-Accel-Buffering': '`no`: a proxy is not to collect what comes.' },
    },
  },
});

const control = <Id extends string>(id: Id, verb: string, summary: string, description: string) =>
  defineOperation({
    id,
    method: 'post',
    path: `/imports/{id}/${verb}`,
    tag: 'Imports',
    summary,
    description,
    scope: 'imports:write',
    params: ImportParams,
    responses: { 200: oneImport('As it is now.') },
    errors: ['conflict'],
  });

export const pauseImport = control(
  'pauseImport',
  'pause',
  'Pause an import',
  'Rows under way finish; no other is begun.',
);
export const resumeImport = control(
  'resumeImport',
  'resume',
  'Resume a paused import',
  'Goes on where it was.',
);
export const cancelImport = control(
  'cancelImport',
  'cancel',
  'Cancel an import',
  'Rows that have not begun are cancelled, rows under way finish. What is written stays.',
);
export const retryFailedRows = control(
  'retryFailedRows',
  'retry-failed',
  'Retry the failed rows of an ended import',
  'Each with the id it had, so that nothing is written twice. Rows in `needs_review` stay as they are.',
);

export const deleteImport = defineOperation({
  id: 'deleteImport',
  method: 'delete',
  path: '/imports/{id}',
  tag: 'Imports',
  summary: 'Forget an ended import',
  description: 'Its rows, results and dedupe keys go; what is written at the provider stays.',
  scope: 'imports:write',
  params: ImportParams,
  responses: { 204: { description: 'Gone.' } },
  errors: ['conflict'],
});
