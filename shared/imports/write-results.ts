import { csvLine } from './csv-cell.ts';
import { flattenJson } from './flatten-json.ts';

/** What became of one row; `original` as {@link ReadRow} has it. */
export type ResultRow = {
  original: string;
  row: number;
  line: number;
  status: string;
  remote_id: string | null;
  code: string | null;
  message: string | null;
  pointer: string | null;
};

const FACTS = ['row', 'line', 'status', 'remote_id', 'code', 'message', 'pointer'] as const;
/** Column or key for what has none of its own: a field first seen late, a cell behind the last column. */
const MORE = 'import_more';

/** Enough to be worth a write, little enough to be held for many readers. */
const PIECE_CHARS = 16_384;

/**
 * The results of an import: what came, as columns or object, then what became of it. A fact of ours whose name the import
 * uses itself is called `import_…`. Streams, whatever the size.
 * @param columns header of a CSV import; undefined for one of JSON.
 */
export async function* writeResults(
  format: 'ndjson' | 'csv',
  columns: string[] | undefined,
  rows: AsyncIterable<ResultRow>,
): AsyncIterable<string> {
  const lines =
    format === 'ndjson'
      ? writeObjects(columns, rows)
      : columns
        ? writeCells(columns, rows)
        : writeFlattened(rows);
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

async function* writeCells(columns: string[], rows: AsyncIterable<ResultRow>): AsyncGenerator<string> {
  yield csvLine([...columns, ...factNames(columns)]);
  for await (const row of rows) {
    const cells = cellsOf(row);
    yield csvLine([...columns.map((_, at) => cells[at] ?? ''), ...factCells(row)]);
  }
}

async function* writeObjects(
  columns: string[] | undefined,
  rows: AsyncIterable<ResultRow>,
): AsyncGenerator<string> {
  const keys = columns?.map((name, at) => (name === '' ? `column_${at + 1}` : name));
  const names = keys && factNames(keys);
  for await (const row of rows) {
    yield keys && names ? `${objectOfCells(row, keys, names)}\n` : `${objectOfRecord(row)}\n`;
  }
}

function objectOfCells(row: ResultRow, keys: string[], names: string[]): string {
  const cells = cellsOf(row);
  const entries: [string, unknown][] = keys.map((key, at) => [key, cells[at] ?? '']);
  const more = cells.slice(keys.length);
  if (more.length > 0) entries.push([MORE, more]);
  FACTS.forEach((fact, at) => {
    entries.push([names[at] ?? fact, row[fact]]);
  });
  return JSON.stringify(Object.fromEntries(entries));
}

const MAY_CLASH = new RegExp(`"(?:${FACTS.join('|')})"`);

/** As text: the record keeps every digit and the order of its keys. */
function objectOfRecord(row: ResultRow): string {
  const isObject = row.original.startsWith('{');
  const record = isObject ? row.original.slice(0, -1).trimEnd() : `{"record":${row.original}`;
  const taken = isObject && MAY_CLASH.test(record) ? Object.keys(JSON.parse(row.original)) : [];
  const names = factNames(taken);
  const facts = FACTS.map((fact, at) => `${JSON.stringify(names[at])}:${JSON.stringify(row[fact])}`);
  return `${record}${record === '{' ? '' : ','}${facts.join(',')}}`;
}

/** The columns of JSON records are those of the first ones; what comes up later goes into a column of its own. */
const SAMPLE_ROWS = 1_000;
const SAMPLE_CHARS = 4_000_000;
const FLAT_COLUMNS_MAX = 500;

async function* writeFlattened(rows: AsyncIterable<ResultRow>): AsyncGenerator<string> {
  const iterator = rows[Symbol.asyncIterator]();
  try {
    const sample = await takeSample(iterator);
    const found = new Set(sample.flatMap(({ original }) => [...flattenJson(original).keys()]));
    const columns = [...found].slice(0, FLAT_COLUMNS_MAX);
    yield csvLine([...columns, unused(MORE, columns), ...factNames(columns)]);
    for (const row of sample) yield flatLine(row, columns);
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
      yield flatLine(next.value, columns);
    }
  } finally {
    await iterator.return?.();
  }
}

async function takeSample(iterator: AsyncIterator<ResultRow>): Promise<ResultRow[]> {
  const sample: ResultRow[] = [];
  let chars = 0;
  while (sample.length < SAMPLE_ROWS && chars < SAMPLE_CHARS) {
    const next = await iterator.next();
    if (next.done) break;
    sample.push(next.value);
    chars += next.value.original.length;
  }
  return sample;
}

function flatLine(row: ResultRow, columns: string[]): string {
  const values = flattenJson(row.original);
  const cells = columns.map((column) => {
    const value = values.get(column) ?? '';
    values.delete(column);
    return value;
  });
  const more = values.size === 0 ? '' : JSON.stringify(Object.fromEntries(values));
  return csvLine([...cells, more, ...factCells(row)]);
}

const factCells = (row: ResultRow) => FACTS.map((fact) => String(row[fact] ?? ''));

const factNames = (taken: readonly string[]) => FACTS.map((fact) => unused(fact, taken));

function unused(name: string, taken: readonly string[]): string {
  let free = name;
  while (taken.includes(free)) free = `import_${free}`;
  return free;
}

/** The reader's own JSON array of texts. */
const cellsOf = ({ original }: ResultRow) => JSON.parse(original) as string[];
