import { rowTooLarge } from './refuse.ts';

const DELIMITERS = [',', ';', '\t', '|'];
/** What Excel writes (and reads) above the header to name the separator. */
const SEP_LINE = /^"?sep=([^"\r\n])"?(?:\r\n|\n|\r)/i;

export type Dialect = {
  delimiter: string;
  /** Physical line the header stands on: 2 behind a line that names the separator. */
  firstLine: number;
  /** The whole file from the header on. */
  start: AsyncGenerator<Buffer>;
};

/** Finds the separator: named by a `sep=` line, else the one the header has most of outside quotes. */
export async function findDialect(bytes: AsyncGenerator<Buffer>, rowBytesMax: number): Promise<Dialect> {
  let head: Buffer = Buffer.alloc(0);
  let header: string | undefined;
  while (header === undefined) {
    const next = await bytes.next();
    if (!next.done) head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    header = firstRecord(head.toString('latin1'), next.done === true);
    if (header === undefined && head.length > rowBytesMax) throw rowTooLarge(0, 1, rowBytesMax);
  }
  const named = SEP_LINE.exec(head.subarray(0, 16).toString('latin1'));
  return {
    delimiter: named?.[1] ?? mostOf(header),
    firstLine: named ? 2 : 1,
    start: resume(head.subarray(named?.[0].length ?? 0), bytes),
  };
}

/** The text up to the first line end outside quotes that has something before it; undefined: more must be read. */
function firstRecord(text: string, isEnd: boolean): string | undefined {
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') isQuoted = !isQuoted;
    if (isQuoted || (char !== '\n' && char !== '\r')) continue;
    const record = text.slice(start, at);
    // A CR that ends the chunk may be half of a line end, which matters to a `sep=` line.
    if (record.trim() !== '') return at + 1 < text.length || isEnd ? record : undefined;
    start = at + 1;
  }
  return isEnd ? text.slice(start) : undefined;
}

/** A tie, as in a file of one column, goes to the comma. */
function mostOf(header: string): string {
  const bare = header.replaceAll(/"(?:[^"]|"")*"/g, '');
  const counts = DELIMITERS.map((delimiter) => ({ delimiter, count: bare.split(delimiter).length - 1 }));
  return counts.reduce((best, each) => (each.count > best.count ? each : best)).delimiter;
}

async function* resume(head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  yield* rest;
}
