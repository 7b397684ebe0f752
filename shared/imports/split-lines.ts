import { invalidImport, rowTooLarge } from './refuse.ts';

/** The text of one JSON record, whether it is valid or not, and the physical line it starts on. */
export type JsonRecord = { line: number; text: string };

const LF = 0x0a;

/**
 * The lines of NDJSON that are not blank.
 * @throws AppError while read: `invalid_import` for JSON of another form, `import_too_large`.
 */
export async function* splitLines(
  bytes: AsyncIterable<Buffer>,
  rowBytesMax: number,
): AsyncGenerator<JsonRecord> {
  let line = 0;
  let count = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const take = (last: Buffer): JsonRecord | undefined => {
    line++;
    if (restBytes + last.length > rowBytesMax) throw rowTooLarge(count + 1, line, rowBytesMax);
    const text = (rest.length === 0 ? last : Buffer.concat([...rest, last])).toString().trim();
    rest = [];
    restBytes = 0;
    if (text === '') return undefined;
    if (count === 0) refuseOtherForm(text);
    count++;
    return { line, text };
  };
  for await (const piece of bytes) {
    let start = 0;
    for (let at = piece.indexOf(LF); at !== -1; at = piece.indexOf(LF, start)) {
      const record = take(piece.subarray(start, at));
      if (record) yield record;
      start = at + 1;
    }
    if (start === piece.length) continue;
    rest.push(piece.subarray(start));
    restBytes += piece.length - start;
    if (restBytes > rowBytesMax) throw rowTooLarge(count + 1, line + 1, rowBytesMax);
  }
  const record = take(Buffer.alloc(0));
  if (record) yield record;
}

/** One wrong form would else be as many failed rows as it has lines. */
function refuseOtherForm(firstLine: string): void {
  if (firstLine.startsWith('[')) {
    throw invalidImport('NDJSON has one object on each line; an array is sent as application/json.');
  }
  if (firstLine === '{') {
    throw invalidImport(
      'NDJSON has one whole object on each line; this object spans lines. jq -c . FILE makes NDJSON of it.',
    );
  }
}
