import { CsvError, parse } from 'csv-parse';
import { createLinePositions } from './count-lines.ts';
import { findDialect } from './csv-dialect.ts';
import { invalidImport, rowTooLarge } from './refuse.ts';

/** The cells of one record, and the physical line it starts on. The first one is the header. */
export type CsvRecord = { line: number; cells: string[] };

/**
 * Records of a CSV in UTF-8. Lenient where spreadsheets are (separators `,` `;` tab `|`, mixed line ends, spaces around
 * cells, a quote inside an unquoted cell), strict where leniency would guess: quotes that do not close.
 * Blank lines, and records of empty cells only, are skipped.
 * @throws AppError while read: `invalid_import` or `import_too_large`.
 */
export async function* readCsv(
  bytes: AsyncGenerator<Buffer>,
  rowBytesMax: number,
): AsyncGenerator<CsvRecord> {
  const { delimiter, firstLine, start } = await findDialect(bytes, rowBytesMax);
  const lines = createLinePositions(firstLine);
  const records: CsvRecord[] = [];
  /** Records read, the header being number 0. */
  let count = 0;
  /** Where the last one ended: offset, line, and blank lines before it. */
  let end = 0;
  let nextLine = firstLine;
  let blankLines = 0;
  const startLine = () => nextLine + parser.info.empty_lines - blankLines;

  const parser = parse({
    bom: false,
    delimiter,
    // All of them, so that a file glued together from several keeps its rows apart; the default takes the first it sees.
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: rowBytesMax,
    // Records are taken here and not from the stream: this is when `info` still speaks of them.
    on_record: (cells: string[], info) => {
      const line = startLine();
      // The parser's own limit counts what is in the cells; a record of separators has nothing in them.
      if (info.bytes - end > rowBytesMax) throw rowTooLarge(count, line, rowBytesMax);
      end = info.bytes;
      // `info.lines` would count a CRLF inside quotes twice.
      nextLine = lines.lineAt(info.bytes);
      blankLines = info.empty_lines;
      if (cells.every((cell) => cell.trim() === '')) return null;
      records.push({ line, cells });
      count++;
      return null;
    },
  });
  parser.resume();
  parser.on('error', () => {}); // It comes through `feed` too.
  const feed = (write: (done: (err?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      write((err) => (err ? reject(describe(err, count, startLine(), rowBytesMax)) : resolve()));
    });

  for await (const piece of start) {
    lines.add(piece);
    await feed((done) => parser.write(piece, done));
    yield* records.splice(0);
    if (lines.pendingBytes() > rowBytesMax) throw rowTooLarge(count, startLine(), rowBytesMax);
  }
  await feed((done) => {
    parser.once('error', done).once('finish', () => done());
    parser.end();
  });
  yield* records.splice(0);
}

function describe(err: Error, row: number, line: number, rowBytesMax: number): Error {
  if (!(err instanceof CsvError)) return err;
  const where = `${row === 0 ? 'The header' : `Row ${row}`}, which starts on line ${line},`;
  switch (err.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return invalidImport(`${where} opens a quote that is never closed.`, undefined, err);
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return invalidImport(
        `${where} has text behind a closing quote; a quote inside a quoted cell is written twice: "".`,
        undefined,
        err,
      );
    case 'CSV_MAX_RECORD_SIZE':
      return rowTooLarge(row, line, rowBytesMax);
    default:
      return invalidImport(`${where} is not valid CSV: ${err.message}`, undefined, err);
  }
}
