export type CsvRow = {
  values: string[];
  /** Text beside a double quote. Source: Bulk API 2.0, Prepare CSV Files: an error for the row. */
  isMalformed: boolean;
};

/** Splits CSV text into rows. Quoted values may hold delimiters, quotes (doubled) and line breaks. */
export function parseCsv(text: string, delimiter: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let values: string[] = [];
  let isMalformed = false;
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const isQuoted = text[at] === '"';
    const [value, next] = isQuoted ? readQuoted(text, at) : readPlain(text, at, delimiter);
    values.push(value);
    at = next;
    if (isQuoted && !isBorder(text[at], delimiter)) {
      isMalformed = true;
      at = readPlain(text, at, delimiter)[1];
    } else if (!isQuoted && value.includes('"')) isMalformed = true;
    if (text[at] === delimiter) {
      at += 1;
      if (at < text.length) continue;
      values.push('');
    }
    at = skipLineEnd(text, at);
    // A line without any value is no record.
    if (values.length > 1 || values[0] !== '') rows.push({ values, isMalformed });
    values = [];
    isMalformed = false;
  }
  return rows;
}

/** How the header line ends; undefined when it is the only line and has no end. */
export function firstLineEnding(text: string): 'LF' | 'CRLF' | undefined {
  const at = text.indexOf('\n');
  if (at === -1) return undefined;
  return text[at - 1] === '\r' ? 'CRLF' : 'LF';
}

function isBorder(character: string | undefined, delimiter: string): boolean {
  return character === undefined || character === delimiter || character === '\n' || character === '\r';
}

function readQuoted(text: string, start: number): [value: string, next: number] {
  let value = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return [value + text.slice(at), text.length];
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [value, quote + 1];
    value += '"';
    at = quote + 2;
  }
}

function readPlain(text: string, start: number, delimiter: string): [value: string, next: number] {
  let at = start;
  while (!isBorder(text[at], delimiter)) at += 1;
  return [text.slice(start, at), at];
}

function skipLineEnd(text: string, at: number): number {
  if (text[at] === '\r' && text[at + 1] === '\n') return at + 2;
  return at < text.length ? at + 1 : at;
}

/** Every value is quoted, as in the real result files. */
export function toCsv(rows: readonly (readonly string[])[], delimiter: string): string {
  return rows.map((row) => `${row.map(quote).join(delimiter)}\n`).join('');
}

function quote(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
