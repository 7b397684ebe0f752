import { isUtf8 } from 'node:buffer';
import { createLineCounter, type LineCounter } from './count-lines.ts';
import { invalidImport } from './refuse.ts';

const BOM = [0xef, 0xbb, 0xbf];
const HOW_TO_SAVE =
  'Save the file as UTF-8 (in Excel: "CSV UTF-8"; elsewhere: iconv -f ENCODING -t UTF-8) and send it again.';

/**
 * Passes UTF-8 on, without its byte order mark and cut between characters only.
 * @throws AppError `invalid_import` while read: UTF-16 and UTF-32 by their marks or NULs, anything else that is no UTF-8 by the line.
 */
export async function* checkEncoding(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lines = createLineCounter();
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for await (const piece of bytes) {
    let text = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    if (isFirst) {
      if (text.length < BOM.length) {
        rest = text;
        continue;
      }
      refuseWide(text);
      if (BOM.every((byte, at) => text[at] === byte)) text = text.subarray(BOM.length);
      isFirst = false;
    }
    const end = text.length - incompleteBytes(text);
    rest = text.subarray(end);
    const whole = text.subarray(0, end);
    if (!isUtf8(whole)) refuseAt(whole, lines);
    lines.count(whole);
    if (whole.length > 0) yield whole;
  }
  if (isFirst) refuseWide(rest);
  if (!isUtf8(rest)) refuseAt(rest, lines);
  if (rest.length > 0) yield rest;
}

/** UTF-16 by its mark, or by the NULs that every second byte of a Latin text is. */
function refuseWide(head: Buffer): void {
  const [first, second, third, fourth] = head;
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const isBare =
    (first !== 0 && second === 0 && (fourth === 0 || third === 0)) ||
    (first === 0 && second !== 0 && (third === 0 || fourth === 0)) ||
    (first === 0 && second === 0);
  if (isMarked || isBare) {
    throw invalidImport(`The file is not UTF-8 but UTF-16 or UTF-32. ${HOW_TO_SAVE}`);
  }
}

/** Bytes at the end that begin a character which the next piece may complete. */
function incompleteBytes(text: Buffer): number {
  for (let back = 1; back <= Math.min(3, text.length); back++) {
    const byte = text[text.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function refuseAt(text: Buffer, lines: LineCounter): never {
  // Neither LF nor CR is ever part of a character, so the first line that is no UTF-8 holds the first bad byte.
  let start = 0;
  while (start < text.length) {
    const end = endOfLine(text, start);
    const line = text.subarray(start, end);
    if (!isUtf8(line)) break;
    lines.count(line);
    start = end;
  }
  throw invalidImport(
    `Line ${lines.line()} is not UTF-8; the file may be Windows-1252 or ISO-8859-1. ${HOW_TO_SAVE}`,
  );
}

function endOfLine(text: Buffer, start: number): number {
  const ends = ['\n', '\r'].map((end) => text.indexOf(end, start)).filter((at) => at !== -1);
  return ends.length === 0 ? text.length : Math.min(...ends) + 1;
}
