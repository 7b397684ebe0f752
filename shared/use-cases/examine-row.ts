import { check } from '../contract/validation-failures.ts';
import type { FieldFailure, Warning } from '../domain/failure.ts';
import { type RowResult, resultOfFailures, type StoredRow } from '../domain/import.ts';
import { OpportunityInput } from '../domain/opportunity.ts';
import { rowJobId } from '../ids.ts';
import type { ReadRow } from '../imports/row-reading.ts';
import { type Planned, planOpportunity } from './plan-opportunity.ts';

/** A row as it will rest, with what is said of it. */
export type ExaminedRow = { row: StoredRow; warnings?: readonly Warning[]; result?: RowResult };

/** What is the same for every row of an import. */
type RowQuestion = Omit<Parameters<typeof planOpportunity>[0], 'body' | 'jobId'>;

export async function* examineRows(
  rows: AsyncIterable<ReadRow>,
  importId: string,
  question: RowQuestion,
): AsyncGenerator<ExaminedRow> {
  for await (const read of rows) yield examineRow(read, importId, question);
}

/** A row as it will rest, and its result if it can be seen now that it cannot be written. */
function examineRow(read: ReadRow, importId: string, question: RowQuestion): ExaminedRow {
  const { row, line, original, dedupeKey } = read;
  const examined = examineBody(read, importId, question);
  const stored: StoredRow = {
    row,
    line,
    original,
    ...(examined.isReadable ? { body: JSON.stringify(read.body) } : {}),
    ...(dedupeKey === undefined ? {} : { dedupeKey }),
  };
  return examined.failures.length > 0
    ? { row: stored, result: resultOfFailures(examined.failures) }
    : { row: stored, warnings: examined.planned?.warnings };
}

/**
 * What is wrong with a row's body, and what would be sent if nothing is. `isReadable`: it is a body of the unified model; whether it
 * can be written depends on the account.
 */
export function examineBody(
  { row, body, failures }: ReadRow,
  importId: string,
  question: RowQuestion,
): { isReadable: boolean; failures: readonly FieldFailure[]; planned?: Planned } {
  if (failures.length > 0 || body === undefined) return { isReadable: false, failures };
  const checked = check(OpportunityInput, body);
  if (!checked.ok) return { isReadable: false, failures: checked.failures };
  const planned = planOpportunity({ ...question, body: checked.value, jobId: rowJobId(importId, row) });
  return { isReadable: true, failures: planned.ok ? [] : planned.failures, planned };
}
