/** Splits CSV text into rows. Quoted values may hold delimiters, quotes (doubled) and line breaks. */
export function parseCsv(text: string, delimiter: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  while (at < text.length) {
    const [value, next] = text[at] === '"' ? readQuoted(text, at) : readPlain(text, at, delimiter);
    row.push(value);
    at = next;
    if (text[at] === delimiter) {
      at += 1;
      if (at < text.length) continue;
      row.push('');
    }
    at = skipLineEnd(text, at);
    // A line without any value is no record.
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
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
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at += 1;
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
