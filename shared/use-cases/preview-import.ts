import type { ImportReport } from '../contract/operations/imports.ts';
import type { ImportOptions } from '../domain/import.ts';
import type { AccountFacts } from '../domain/integrated-account.ts';
import type { Account } from '../stores/account-store.ts';
import { chooseStrategy } from './choose-strategy.ts';
import { examineBody } from './examine-row.ts';
import type { ImportSubmission, SubmitImportDeps } from './submit-import.ts';

const ERRORS_SHOWN = 100;
const REQUESTS_SHOWN = 20;

export type PreviewImportDeps = Pick<
  SubmitImportDeps,
  'imports' | 'readRows' | 'descriptorOf' | 'batchOf' | 'clock' | 'limits'
> & {
  /** The account's live values, as fresh as can be had. */
  liveFacts: (account: Account) => Promise<AccountFacts | undefined>;
};

/**
 * Reads an import to its end and says what would become of it; nothing is stored or sent.
 * @throws AppError 400/413/415 for what spoils the whole.
 */
export async function previewImport(
  deps: PreviewImportDeps,
  submission: ImportSubmission,
): Promise<ImportReport> {
  const { account, options } = submission;
  const { strategy, reason } = chooseStrategy(
    options.strategy,
    deps.batchOf(account.provider),
    account,
    options.rowEvents,
  );
  const { rows } = deps.readRows(submission.stream, {
    contentType: submission.contentType,
    contentEncoding: submission.contentEncoding,
    mapping: options.mapping,
    limits: deps.limits,
  });
  const report: ImportReport = {
    object: 'import_report',
    valid: true,
    strategy,
    strategy_reason: reason,
    counts: { total: 0, valid: 0, failed: 0, with_warnings: 0 },
    errors_by_code: {},
    warnings_by_code: {},
    errors: [],
    requests: [],
  };
  const question = questionOf(deps, account, options, await deps.liveFacts(account));
  const id = deps.imports.newId(account.id);
  for await (const read of rows) {
    const { failures, planned } = examineBody(read, id, question);
    // By now the live values are as fresh as they get.
    const all = [...failures, ...(planned?.ok ? planned.stale : [])];
    report.counts.total += 1;
    for (const { code } of planned?.warnings ?? []) count(report.warnings_by_code, code);
    if (planned && planned.warnings.length > 0) report.counts.with_warnings += 1;
    if (all.length > 0) {
      report.counts.failed += 1;
      for (const { code } of all) count(report.errors_by_code, code);
      if (report.errors.length < ERRORS_SHOWN) {
        report.errors.push({ row: read.row, line: read.line, failures: all.slice(0, 20) });
      }
      continue;
    }
    report.counts.valid += 1;
    if (report.requests.length < REQUESTS_SHOWN && planned?.ok && planned.plan) {
      const { method, path, body } = planned.plan.create;
      report.requests.push({ row: read.row, method, path, body: body ?? null });
    }
  }
  report.valid = report.counts.failed === 0;
  return report;
}

function questionOf(
  deps: PreviewImportDeps,
  account: Account,
  options: ImportOptions,
  facts: AccountFacts | undefined,
) {
  return {
    descriptor: deps.descriptorOf(account.provider),
    settings: account.settings,
    query: { on_unsupported: options.onUnsupported },
    facts,
    nowMs: deps.clock.nowMs(),
  };
}

function count(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}
