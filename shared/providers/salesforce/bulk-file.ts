import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { BulkFile } from '../batch-port.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { WritePlan } from '../port.ts';
import { BULK_ROWS_MAX, canCarry as canBatch, keyField } from './batch.ts';

/** The word for null; an empty cell means "not stated". */
const NULL = '#N/A';
/** A cell holds less than a long text field does. */
const CELL_CHARS_MAX = 32_000;
const COLUMN_NAME = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * Half of what an answer may have: the result files repeat every column, in quotes, beside their own.
 * Salesforce itself takes 100 MB.
 */
export const FILE_BYTES_MAX = 8 * 1024 * 1024;

type Cell = { column: string; value: unknown };

/**
 * {@link BulkClient.canCarry}: what a batch carries, save what CSV cannot say. A carriage return inside a value makes
 * Salesforce refuse the whole file in some organisations (the line ends announced are LF).
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_prepare_csv.htm
 */
export function canCarry(plan: WritePlan): boolean {
  return canBatch(plan) && cellsOf(plan).every(({ column, value }) => isColumn(column) && isSayable(value));
}

function isColumn(column: string): boolean {
  return column.split('.').every((part) => COLUMN_NAME.test(part));
}

function isSayable(value: unknown): boolean {
  if (typeof value === 'string')
    return value !== NULL && value.length <= CELL_CHARS_MAX && !value.includes('\r');
  return value === null || typeof value === 'number' || typeof value === 'boolean';
}

/** A parent named by its external id (`{ Account: { Key__c: "A-1" } }`) is the column `Account.Key__c`. */
function cellsOf({ create: { body } }: WritePlan): Cell[] {
  if (!isJsonObject(body)) return [];
  return Object.entries(body).map(([column, value]) => {
    const [inner, ...others] = isJsonObject(value) ? Object.entries(value) : [];
    if (inner === undefined || others.length > 0) return { column, value };
    return { column: `${column}.${inner[0]}`, value: inner[1] };
  });
}

/**
 * {@link BulkFile}. The key comes first; a column that one row has is empty in the others, whatever its case. A row is kept
 * as its line, which is small, and filled up to the columns that came after it at the end.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datafiles_csv_valid_record_rows.htm
 */
export function newFile(settings: AccountSettings): BulkFile {
  const columns = [keyField(settings)];
  const places = new Map<string, number>();
  const lines: string[] = [];
  const cellCounts: number[] = [];
  let bytes = Buffer.byteLength(`${columns[0]}\n`);
  let cellsInAll = 0;

  const placeOf = (column: string): number => {
    const known = places.get(column.toLowerCase());
    if (known !== undefined) return known;
    places.set(column.toLowerCase(), columns.length);
    bytes += Buffer.byteLength(column) + 1;
    return columns.push(column) - 1;
  };

  return {
    add({ key, plan }) {
      if (lines.length >= BULK_ROWS_MAX) return false;
      const cells = [key];
      for (const { column, value } of cellsOf(plan)) cells[placeOf(column)] = sayValue(value);
      const line = Array.from(cells, (cell) => quote(cell ?? '')).join(',');
      const ownBytes = Buffer.byteLength(line) + 1;
      const emptyCells = columns.length * (lines.length + 1) - cellsInAll - cells.length;
      // Columns of a row that does not fit stay in the header; in every row of the file they are empty.
      if (bytes + ownBytes + emptyCells > FILE_BYTES_MAX) return false;
      bytes += ownBytes;
      cellsInAll += cells.length;
      lines.push(line);
      cellCounts.push(cells.length);
      return true;
    },
    rows: () => lines.length,
    text: () =>
      [columns.join(','), ...lines.map((line, i) => line + ','.repeat(columns.length - (cellCounts[i] ?? 0)))]
        .map((line) => `${line}\n`)
        .join(''),
  };
}

/** An empty text is null for the REST API, and so it is here. */
function sayValue(value: unknown): string {
  return value === null || value === '' ? NULL : String(value);
}

function quote(cell: string): string {
  return /[",\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
