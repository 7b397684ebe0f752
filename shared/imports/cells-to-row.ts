import { AppError } from '../app-error.ts';
import { inexactAmount, parseJsonBody } from '../contract/parse-json-body.ts';
import { toPointer } from '../contract/validation-failures.ts';
import type { FieldFailure, FieldFailureCode } from '../domain/failure.ts';
import { closeGaps, put } from './build-body.ts';
import { checkDedupeKey } from './dedupe-key.ts';
import type { ColumnTarget } from './plan-columns.ts';
import type { ReadRow } from './row-reading.ts';
import type { CellType } from './unified-paths.ts';

export type RowContent = Pick<ReadRow, 'original' | 'body' | 'dedupeKey' | 'failures'>;

type Value = { ok: true; value: unknown } | { ok: false; code: FieldFailureCode; message: string };

/**
 * The unified body of a record's cells. An empty cell is an absent field; a cell that is no value of its field is a
 * failure of the row. Pure.
 */
export function cellsToRow(cells: readonly string[], targets: readonly ColumnTarget[]): RowContent {
  const body: Record<string, unknown> = {};
  const failures: FieldFailure[] = findRagged(cells, targets.length);
  let dedupeKey: string | undefined;
  for (const [index, target] of targets.entries()) {
    const cell = cells[index] ?? '';
    if (cell.trim() === '' || target.kind === 'ignored') continue;
    if (target.kind === 'dedupe_key') {
      const checked = checkDedupeKey(cell);
      dedupeKey = checked.key;
      failures.push(...checked.failures);
      continue;
    }
    const { steps, type } = target;
    const read = readCell(cell, type);
    if (read.ok) put(body, steps, read.value);
    else failures.push({ pointer: toPointer(steps), code: read.code, message: read.message });
  }
  closeGaps(body);
  const original = JSON.stringify(cells);
  return dedupeKey === undefined ? { original, body, failures } : { original, body, dedupeKey, failures };
}

/** A record whose cells do not fit the header is not read at all: each of them might belong to another column. */
function findRagged(cells: readonly string[], columns: number): FieldFailure[] {
  const extra = cells.slice(columns).some((cell) => cell.trim() !== '');
  if (cells.length >= columns && !extra) return [];
  const message = `has ${cells.length} cells, the header has ${columns}`;
  return [{ pointer: '', code: 'wrong_cell_count', message }];
}

/** Results of formulas that failed; nobody wants them in a CRM. */
const SPREADSHEET_ERROR = /^#(?:N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!)$/;
const PLAIN_NUMBER = /^-?\d+(?:\.\d+)?$/;
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

function readCell(cell: string, type: CellType): Value {
  if (cell.startsWith('#') && SPREADSHEET_ERROR.test(cell)) {
    return bad('invalid_value', `is ${cell}, an error of the spreadsheet`);
  }
  switch (type) {
    case 'text':
      return { ok: true, value: cell };
    case 'number':
      return readNumber(cell.trim());
    case 'boolean': {
      const value = BOOLEANS[cell.trim().toLowerCase()];
      return value === undefined
        ? bad('wrong_type', `must be true or false, not ${quoted(cell)}`)
        : { ok: true, value };
    }
    case 'json':
      return readJson(cell);
  }
}

function readNumber(text: string): Value {
  if (!PLAIN_NUMBER.test(text)) {
    // An exponent is what a spreadsheet shows of a number it has rounded.
    return bad(
      'wrong_type',
      `must be a plain number as 1250.50 (no currency, separator or exponent), not ${quoted(text)}`,
    );
  }
  const sentence = inexactAmount(text);
  return sentence === undefined ? { ok: true, value: Number(text) } : bad('not_exact', sentence);
}

/** By the parser of a create, as a value that is passed on: exact numbers, no dangerous keys. */
function readJson(text: string): Value {
  try {
    JSON.parse(text);
    // It is one value, so what it is wrapped into has this one key.
    const { remote_data } = parseJsonBody(`{"remote_data":${text}}`) as { remote_data: unknown };
    return { ok: true, value: remote_data };
  } catch (err) {
    const [failure] = err instanceof AppError ? (err.facts.failures ?? []) : [];
    return failure
      ? bad(failure.code, failure.message)
      : bad('invalid_json', `is not valid JSON: ${quoted(text)}`);
  }
}

const bad = (code: FieldFailureCode, message: string): Value => ({ ok: false, code, message });
const quoted = (text: string) => JSON.stringify(text.slice(0, 60));
