import type { Told, Uploaded } from './import-client.ts';
import type { PlannedRow } from './import-plan.ts';
import type { RemoteRecord } from './verdict.ts';

export type ImportVerdict = {
  rows: number;
  /** Records beyond one for each dedupe key. */
  duplicates: number;
  /** Rows that should be written and have no record, or whose result names another row's. */
  lost: number;
  /** Imports that have not ended, or were never accepted. */
  not_ended: number;
  /** Imports whose counts are not those of their results file, or whose file has not every row once. */
  miscounted: number;
  succeeded: number;
  failed: number;
  duplicate: number;
  needs_review: number;
  /** What is wrong, in words; the first few. */
  findings: string[];
};

type Row = Told['rows'][number];
type ToldRow = { planned: PlannedRow; told: Row | undefined };

/** Compares what was sent with what results files say and what the providers hold. */
export function judgeImports(
  imports: readonly { uploaded: Uploaded; told: Told | undefined }[],
  records: readonly RemoteRecord[],
): ImportVerdict {
  const findings: string[] = [];
  const count = (status: string) => imports.reduce((sum, { told }) => sum + (told?.counts[status] ?? 0), 0);
  const verdict: ImportVerdict = {
    rows: imports.reduce((sum, { uploaded }) => sum + uploaded.planned.rows.length, 0),
    ...{ duplicates: 0, lost: 0, not_ended: 0, miscounted: 0 },
    succeeded: count('succeeded'),
    failed: count('failed'),
    duplicate: count('duplicate'),
    needs_review: count('needs_review'),
    findings,
  };
  for (const { uploaded, told } of imports) {
    const { planned, id, refused } = uploaded;
    if (told?.status !== 'completed') {
      verdict.not_ended += 1;
      findings.push(`${planned.key} (${id ?? refused}) is ${told?.status ?? 'not ended'}`);
    } else if (!addsUp(told, planned.rows.length)) {
      verdict.miscounted += 1;
      findings.push(`${planned.key} (${id}): ${JSON.stringify(told.counts)} for ${told.rows.length} results`);
    }
  }
  const rows = imports.flatMap(({ uploaded, told }) => rowsOf(uploaded, told));
  const recordsOf = Map.groupBy(records, ({ tag }) => tag);
  for (const [key, group] of Map.groupBy(rows, ({ planned }) => planned.dedupeKey)) {
    const found = group.flatMap(({ planned }) => recordsOf.get(planned.tag) ?? []);
    judgeKey(verdict, key, group, found);
  }
  findings.splice(10);
  return verdict;
}

function rowsOf({ planned }: Uploaded, told: Told | undefined): ToldRow[] {
  const byRow = new Map(told?.rows.map((row) => [row.row, row]));
  return planned.rows.map((row, i) => ({ planned: row, told: byRow.get(i + 1) }));
}

/** Every row once in the file, and as many of each status as the counts say. */
function addsUp({ counts, rows }: Told, expected: number): boolean {
  const { total, ...byStatus } = counts;
  const inFile = (status: string) => rows.filter((row) => row.status === status).length;
  const numbers = new Set(rows.map(({ row }) => row));
  return (
    total === expected &&
    rows.length === expected &&
    numbers.size === expected &&
    Object.entries(byStatus).every(([status, count]) => inFile(status) === count)
  );
}

/** Rows of one dedupe key: one of them is the record, the others say so. A bad row has none and is failed. */
function judgeKey(
  verdict: ImportVerdict,
  key: string,
  group: readonly ToldRow[],
  records: readonly RemoteRecord[],
): void {
  const isBad = group.every(({ planned }) => planned.isBad);
  const surplus = Math.max(0, records.length - (isBad ? 0 : 1));
  verdict.duplicates += surplus;
  if (surplus > 0) verdict.findings.push(`${key}: ${records.length} records`);
  const told = group.map((row) => row.told?.status);
  const says = `${key}: ${group.map((row) => JSON.stringify(row.told)).join(' and ')}; records ${JSON.stringify(records)}`;
  if (isBad) {
    if (told.every((status) => status === 'failed')) return;
  } else {
    const [record] = records;
    const written = told.filter((status) => status === 'succeeded').length;
    const others = told.filter((status) => status === 'duplicate').length;
    const isNamed = group.every((row) => row.told?.remote_id === record?.id);
    if (record && written === 1 && written + others === group.length && isNamed) return;
  }
  verdict.lost += 1;
  verdict.findings.push(says);
}
