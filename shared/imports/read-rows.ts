import { AppError } from '../app-error.ts';
import type { ColumnMapping, ImportFormat } from '../domain/import.ts';
import { cellsToRow, type RowContent } from './cells-to-row.ts';
import { checkEncoding } from './check-encoding.ts';
import { jsonToRow, type KeyTargets } from './json-to-row.ts';
import { planColumns } from './plan-columns.ts';
import { readCsv } from './read-csv.ts';
import { importTooLarge, invalidImport } from './refuse.ts';
import type { ReadOptions, ReadRow, RowReading } from './row-reading.ts';
import { splitArray } from './split-array.ts';
import { splitLines } from './split-lines.ts';
import { unpack } from './unpack.ts';

const FORMATS: Readonly<Record<string, ImportFormat>> = {
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/json': 'json',
};

/**
 * The rows of an import while it arrives, in memory that does not grow with it. A reader that stops early ends the stream;
 * where that is a request still to be answered, pass `req.iterator({ destroyOnReturn: false })`.
 * @throws AppError 415 at once for a type or encoding that is not read; see {@link RowReading} for what comes later.
 */
export function readRows(stream: AsyncIterable<Uint8Array>, options: ReadOptions): RowReading {
  const { limits, mapping } = options;
  const format = formatOf(options.contentType);
  const bytes = checkEncoding(unpack(stream, isGzip(options.contentEncoding), limits.bytesMax));
  if (format === 'csv') {
    const columns: { header?: string[] } = {};
    const records = readCsvRows(bytes, limits.rowBytesMax, mapping, columns);
    return { format, columns: () => columns.header, rows: number(records, limits.rowsMax) };
  }
  const split = format === 'ndjson' ? splitLines : splitArray;
  const records = readJsonRows(split(bytes, limits.rowBytesMax), mapping);
  return { format, columns: () => undefined, rows: number(records, limits.rowsMax) };
}

function formatOf(contentType: string | undefined): ImportFormat {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const format = Object.hasOwn(FORMATS, type) ? FORMATS[type] : undefined;
  if (format === undefined) {
    throw unsupported(
      `An import is sent as the file itself with Content-Type ${Object.keys(FORMATS).join(', ')}.`,
    );
  }
  if (charset !== undefined && !/^"?(utf-?8|us-ascii)"?$/.test(charset)) {
    throw unsupported(`An import is read as UTF-8, not as ${charset}.`);
  }
  return format;
}

function isGzip(contentEncoding: string | undefined): boolean {
  const encoding = contentEncoding?.trim().toLowerCase() ?? 'identity';
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  if (encoding === 'identity' || encoding === '') return false;
  throw unsupported(`An import may be encoded with gzip, not with ${encoding}.`);
}

function unsupported(message: string): AppError {
  const headers = { Accept: Object.keys(FORMATS).join(', '), 'Accept-Encoding': 'gzip' };
  return new AppError('unsupported_media_type', message, { headers });
}

type Content = RowContent & { line: number };

async function* readCsvRows(
  bytes: AsyncGenerator<Buffer>,
  rowBytesMax: number,
  mapping: ColumnMapping | undefined,
  columns: { header?: string[] },
): AsyncGenerator<Content> {
  const records = readCsv(bytes, rowBytesMax);
  const header = await records.next();
  if (header.done) throw invalidImport('The file is empty; its first line must name the columns.');
  const { cells } = header.value;
  const targets = planColumns(cells, mapping);
  columns.header = cells;
  for await (const record of records) yield { line: record.line, ...cellsToRow(record.cells, targets) };
}

async function* readJsonRows(
  records: AsyncIterable<{ line: number; text: string }>,
  mapping: ColumnMapping | undefined,
): AsyncGenerator<Content> {
  const mapped = mapping && planKeys(mapping);
  for await (const { line, text } of records) yield { line, ...jsonToRow(text, mapped) };
}

function planKeys(mapping: ColumnMapping): KeyTargets {
  const keys = Object.keys(mapping);
  const targets = planColumns(keys, mapping);
  return new Map(keys.flatMap((key, at) => (targets[at] ? [[key, targets[at]]] : [])));
}

async function* number(rows: AsyncIterable<Content>, rowsMax: number): AsyncGenerator<ReadRow> {
  let row = 0;
  for await (const content of rows) {
    row++;
    if (row > rowsMax) throw importTooLarge(`The import has more than ${rowsMax} rows.`);
    yield { row, ...content };
  }
  if (row === 0) throw invalidImport('The import has no rows.');
}
