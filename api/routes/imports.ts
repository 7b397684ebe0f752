import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import { AppError } from '../../shared/app-error.ts';
import { type ImportView, viewImport } from '../../shared/contract/import-view.ts';
import type { OperationInput } from '../../shared/contract/operation.ts';
import * as operations from '../../shared/contract/operations/imports.ts';
import { type ImportOptions, type ImportRecord, isImportEnded } from '../../shared/domain/import.ts';
import { isUuid } from '../../shared/ids.ts';
import { writeResults } from '../../shared/imports/write-results.ts';
import type { Account } from '../../shared/stores/account-store.ts';
import type { ReadGate } from '../../shared/stores/gate-reading.ts';
import type { ImportStore } from '../../shared/stores/import-store.ts';
import {
  type ControlImportDeps,
  cancelImport,
  deleteImport,
  pauseImport,
  resumeImport,
  retryFailedRows,
} from '../../shared/use-cases/control-import.ts';
import { type PreviewImportDeps, previewImport } from '../../shared/use-cases/preview-import.ts';
import { type ReadImportDeps, readResults } from '../../shared/use-cases/read-import.ts';
import { type SubmitImportDeps, submitImport } from '../../shared/use-cases/submit-import.ts';
import { type AccountReader, getAccount } from '../find-account.ts';
import { followImport, sendEvents } from '../follow-import.ts';
import type { Caller } from '../request-facts.ts';
import type { Answer } from '../send-answer.ts';
import type { Serve } from '../serve-operation.ts';

export type ImportsDeps = Omit<
  SubmitImportDeps & PreviewImportDeps & ControlImportDeps & ReadImportDeps,
  'accounts' | 'imports'
> & {
  imports: ImportStore;
  accounts: AccountReader & SubmitImportDeps['accounts'] & { list(workspace: string): Promise<Account[]> };
  readGate: ReadGate;
  /** Ends waits and event streams when the process stops. */
  closing: AbortSignal;
};

const LIMIT = 50;

/** `/imports`. */
export function serveImports(serve: Serve, deps: ImportsDeps): void {
  serve(operations.createImport, async ({ query, headers, caller, requestId, req }) => {
    const account = await getAccount(deps.accounts, caller.workspace, query.integrated_account_id);
    const stream = bytesOf(req);
    const submission = {
      account,
      options: optionsOf(query),
      stream,
      contentType: req.headers['content-type'],
      contentEncoding: req.headers['content-encoding'],
      requestId,
      idempotencyKey: headers['idempotency-key'],
    };
    try {
      if (query.dry_run) return { status: 200, body: await previewImport(deps, submission) };
      const { record, replayed } = await submitImport(deps, submission);
      return {
        status: 202,
        headers: {
          Location: `/imports/${record.id}`,
          ...(replayed ? { 'Idempotency-Replayed': 'true' } : {}),
        },
        body: await view(deps, record),
      };
    } finally {
      dropRest(req, stream);
    }
  });

  serve(operations.listImports, async ({ query, caller }) => {
    const accounts = query.integrated_account_id
      ? [await getAccount(deps.accounts, caller.workspace, query.integrated_account_id)]
      : await deps.accounts.list(caller.workspace);
    if (query.cursor !== undefined && !isUuid(query.cursor)) {
      throw new AppError('invalid_query', 'cursor must be the next_cursor of the page before.');
    }
    const ids = accounts.map(({ id }) => id);
    const { imports, nextCursor } = await deps.imports.list(ids, query.cursor, query.limit ?? LIMIT);
    const own = imports.filter(({ workspace }) => workspace === caller.workspace);
    const data = await Promise.all(own.map((record) => view(deps, record)));
    return { status: 200, body: { object: 'list', data, next_cursor: nextCursor ?? null } };
  });

  serve(operations.getImport, async ({ params, query, caller, res }) => {
    let record = await getImport(deps, caller, params.id);
    if (query.wait) {
      const signal = AbortSignal.any([goneOf(res), deps.closing, AbortSignal.timeout(query.wait * 1_000)]);
      for await (const _ of followImport(deps, record, signal));
      // As it is now: the wait looks twice a second, and ends without a word when the import is deleted.
      record = await getImport(deps, caller, params.id);
    }
    return { status: 200, body: await view(deps, record) };
  });

  serve(operations.getImportResults, async ({ params, query, caller, res }) => {
    const record = await getImport(deps, caller, params.id);
    const format = query.format ?? 'ndjson';
    res.setHeader('Content-Type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson');
    res.setHeader('Content-Disposition', `attachment; filename="import-${record.id}.${format}"`);
    const text = writeResults(format, record.columns, readResults(deps, record, query.status));
    await pipeline(Readable.from(text), res);
    return undefined;
  });

  serve(operations.getImportEvents, async ({ params, headers, caller, res }) => {
    const record = await getImport(deps, caller, params.id);
    const signal = AbortSignal.any([goneOf(res), deps.closing]);
    await sendEvents(res, {
      states: followImport(deps, record, signal),
      lastSeen: Number(headers['last-event-id'] ?? 0),
      view: (state) => view(deps, state),
    });
    return undefined;
  });

  type Act = (deps: ControlImportDeps, record: ImportRecord) => Promise<void>;
  const serveControl = (operation: typeof operations.pauseImport, act: Act) =>
    serve(operation, async ({ params, caller }): Promise<Answer> => {
      const record = await getImport(deps, caller, params.id);
      await getAccount(deps.accounts, caller.workspace, record.account);
      await act(deps, record);
      return { status: 200, body: await view(deps, await getImport(deps, caller, params.id)) };
    });
  serveControl(operations.pauseImport, pauseImport);
  serveControl(operations.resumeImport, resumeImport);
  serveControl(operations.cancelImport, cancelImport);
  serveControl(operations.retryFailedRows, retryFailedRows);

  serve(operations.deleteImport, async ({ params, caller }) => {
    await deleteImport(deps, await getImport(deps, caller, params.id));
    return { status: 204 };
  });
}

function optionsOf(query: OperationInput<typeof operations.createImport>['query']): ImportOptions {
  return {
    strategy: query.strategy ?? 'auto',
    rowEvents: query.row_events ?? false,
    ...(query.max_errors === undefined ? {} : { maxErrors: query.max_errors }),
    ...(query.mapping === undefined ? {} : { mapping: query.mapping }),
    ...(query.on_unsupported === undefined ? {} : { onUnsupported: query.on_unsupported }),
  };
}

/** The body as it comes. Ending early leaves the socket open for the answer. */
async function* bytesOf(req: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* req.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new AppError('invalid_import', 'The upload ended before it was whole.', { cause });
  }
}

/**
 * What still comes is read and dropped, so that the caller gets to see the answer: a browser reads it only after it has sent its body.
 * `resume` does nothing while somebody listens for `readable`, so whoever was reading has to let go first.
 */
function dropRest(req: Request, reading: AsyncGenerator<Uint8Array>): void {
  reading
    .return(undefined)
    // An upload that was cut off has nobody left to answer.
    .catch(() => {})
    .finally(() => setImmediate(() => req.resume()));
}

function goneOf(res: { once(event: 'close', listener: () => void): unknown }): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  return gone.signal;
}

/** @throws AppError 404 for one that does not exist or belongs to another workspace. */
async function getImport(deps: ImportsDeps, caller: Caller, id: string): Promise<ImportRecord> {
  const record = isUuid(id) ? await deps.imports.find(id) : undefined;
  if (!record || record.workspace !== caller.workspace)
    throw new AppError('not_found', `There is no import ${id} in this workspace.`);
  return record;
}

async function view(deps: ImportsDeps, record: ImportRecord): Promise<ImportView> {
  const now = deps.clock.nowMs();
  const blockedUntilMs = isImportEnded(record.status)
    ? undefined
    : (await deps.readGate(record.account, now)).blockedUntilMs;
  return viewImport(record, now, blockedUntilMs);
}
