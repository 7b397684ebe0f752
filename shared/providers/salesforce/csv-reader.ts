/** Rows of a CSV text (RFC 4180, either line end), one at a time: a result file has as many rows as its job. */
export function* readCsv(text: string): Generator<string[]> {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let row: string[] = [];
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') [cell, at] = readQuoted(text, at + 1);
    else {
      const end = endOfPlain(text, at);
      cell = text.slice(at, end);
      at = end;
    }
    row.push(cell);
    if (text[at] === ',') {
      at += 1;
      // A comma at the very end still opens an empty cell.
      if (at < text.length) continue;
      row.push('');
    }
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    if (row.length > 1 || row[0] !== '') yield row;
    row = [];
  }
}

/** The cell whose opening quote is just before `at`, and where it ends. */
function readQuoted(text: string, start: number): [cell: string, next: number] {
  let cell = '';
  for (let at = start; ; ) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return [cell + text.slice(at), text.length];
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [cell, quote + 1];
    cell += '"';
    at = quote + 2;
  }
}

function endOfPlain(text: string, start: number): number {
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === ',' || character === '\n' || character === '\r') return at;
  }
  return text.length;
}
