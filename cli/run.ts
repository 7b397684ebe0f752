import { randomUUID } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { get, urlOf } from './api.ts';
import type { Arguments, Work } from './arguments.ts';
import { followImport } from './follow.ts';
import { DryRunReport, exitCodeOf, ImportState } from './import-state.ts';
import type { Progress } from './progress.ts';
import { bytes, reportText, summary, uploadLine, workLine } from './show.ts';
import { openSource, readMapping } from './source.ts';
import { Stop } from './stop.ts';
import type { Target } from './target.ts';
import { uploadUntilTaken } from './upload.ts';

/** What a run of the command line touches. */
export type Surroundings = {
  target: Target;
  /** What relative paths are relative to. */
  folder: string;
  stdin: AsyncIterable<Uint8Array>;
  stdout: NodeJS.WritableStream;
  progress: Progress;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  nowMs: () => number;
};

/** Where a run stands when it is interrupted. */
export type Stage =
  /** `maybe`: of standard input only its reader knows whether that was all. */
  { kind: 'upload'; isAllSent: boolean | 'maybe'; key: string } | { kind: 'work'; importId: string };

/**
 * Imports a file, or follows an import, as the command line says.
 * @returns exit code.
 * @throws Stop with a sentence for the user; whatever the signal makes throw.
 */
export async function run(
  { work, watch, results, only }: Arguments,
  around: Surroundings,
  onStage: (stage: Stage) => void,
): Promise<number> {
  if (results !== undefined && results !== '-') await assertFolder(resolve(around.folder, results));
  let importId: string;
  if (work.kind === 'attach') importId = work.importId;
  else {
    const answer = await uploadFile(work, around, onStage);
    if (work.dryRun) {
      const report = DryRunReport.parse(answer);
      around.stdout.write(`${reportText(report)}\n`);
      return report.valid ? 0 : 1;
    }
    importId = ImportState.parse(answer).id;
    around.progress.note(`Import ${importId} is accepted.`);
  }
  onStage({ kind: 'work', importId });
  if (!watch) {
    around.stdout.write(`${importId}\n`);
    return 0;
  }
  const ended = await watchUntilEnd(importId, around);
  if (results !== undefined) await writeResults(importId, results, only, around);
  // Standard output may be the results.
  if (results === '-') around.progress.note(summary(ended));
  else around.stdout.write(`${summary(ended)}\n`);
  if (results === undefined && exitCodeOf(ended) !== 0)
    around.progress.note(
      `Which rows, and why:\n  npm run import -- --attach ${importId} --results rows.csv --only failed,needs_review,cancelled`,
    );
  return exitCodeOf(ended);
}

type ImportWork = Extract<Work, { kind: 'import' }>;

async function uploadFile(
  work: ImportWork,
  { target, folder, stdin, progress, signal, nowMs }: Surroundings,
  onStage: (stage: Stage) => void,
): Promise<unknown> {
  const mapping = work.mapping === undefined ? undefined : await readMapping(work.mapping, folder);
  if (work.file === '-') progress.note('Reading standard input …');
  const source = await openSource(work.file, work.format, folder, stdin);
  const key = work.idempotencyKey ?? randomUUID();
  const startedMs = nowMs();
  const show = (sentBytes: number, isDue = false) => {
    const at = { sentBytes, sizeBytes: source.sizeBytes, elapsedMs: nowMs() - startedMs };
    progress.show(uploadLine(at, progress.isBar), isDue);
  };
  onStage({ kind: 'upload', isAllSent: source.sizeBytes === undefined ? 'maybe' : false, key });
  let sent = 0;
  const answer = await uploadUntilTaken({
    target,
    url: urlOf(target, 'imports', queryOf(work, mapping)),
    source,
    headers: { 'Idempotency-Key': key },
    signal,
    onSent: (bytes) => {
      sent = bytes;
      show(bytes, bytes === source.sizeBytes);
      if (bytes === source.sizeBytes) onStage({ kind: 'upload', isAllSent: true, key });
    },
    onRetry: (why, seconds) => progress.note(`${why} The same again in ${seconds} s.`),
  });
  progress.note(`${source.name}: ${bytes(sent)} sent.`);
  return answer;
}

function queryOf(work: ImportWork, mapping: string | undefined): Record<string, string | undefined> {
  return {
    integrated_account_id: work.account,
    dry_run: work.dryRun ? 'true' : undefined,
    mapping,
    strategy: work.strategy,
    max_errors: work.maxErrors === undefined ? undefined : String(work.maxErrors),
    on_unsupported: work.onUnsupported,
  };
}

async function watchUntilEnd(
  importId: string,
  { target, progress, signal }: Surroundings,
): Promise<ImportState> {
  let last: ImportState | undefined;
  const onLost = (why: string) => progress.note(`${why} The import does not depend on it; asking again …`);
  for await (const state of followImport({ target, importId, signal, onLost })) {
    progress.show(workLine(state, progress.isBar), state.status !== last?.status);
    last = state;
  }
  if (last === undefined) throw new Stop(`Import ${importId} was never seen.`);
  progress.close();
  return last;
}

async function writeResults(
  importId: string,
  out: string,
  only: string | undefined,
  { target, folder, stdout, signal, progress }: Surroundings,
): Promise<void> {
  const format = out.toLowerCase().endsWith('.csv') ? 'csv' : 'ndjson';
  const url = urlOf(target, `imports/${encodeURIComponent(importId)}/results`, { format, status: only });
  const response = await get(url, target, signal);
  const body = response.body ?? [];
  if (out === '-') {
    await pipeline(body, stdout, { end: false });
    return;
  }
  const path = resolve(folder, out);
  await pipeline(body, createWriteStream(path)).catch((err: NodeJS.ErrnoException) => {
    // Of the file; what the connection throws has no path.
    if (err.path !== path && err.syscall !== 'write') throw err;
    throw new Stop(
      `The results cannot be written to ${path}: ${err.message}. The import is over; write them elsewhere with\n  npm run import -- --attach ${importId} --results OUT`,
    );
  });
  progress.note(`Results are in ${path}`);
}

/** @throws Stop before anything is sent, rather than when all is done. */
async function assertFolder(path: string): Promise<void> {
  const fault = await access(path, constants.W_OK).catch((err: NodeJS.ErrnoException) => err);
  if (!fault) return;
  const folder = dirname(path);
  // A file that is not there yet is made; one that is there is not replaced.
  const missing = fault.code === 'ENOENT' && (await access(folder, constants.W_OK).catch(() => fault));
  if (fault.code === 'ENOENT' && !missing) return;
  throw new Stop(
    `The results cannot be written to ${path}: ${missing ? `look at the folder ${folder}` : fault.message}.`,
  );
}
