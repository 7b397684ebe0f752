import { createLineCounter } from './count-lines.ts';
import { invalidImport, rowTooLarge } from './refuse.ts';
import type { JsonRecord } from './split-lines.ts';

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [ARRAY_START, ARRAY_END, OBJECT_START, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Where the reader stands between two bytes. */
type Place =
  | 'before_array'
  /** Behind `[`: an element or `]`. */
  | 'before_first'
  | 'in_element'
  /** Behind an object or array: `,` or `]`. */
  | 'after_element'
  /** Behind `,`: an element. */
  | 'before_next'
  | 'after_array';

/**
 * The elements of one JSON array, each as its text: only strings and brackets are looked at, so that a bad element spoils
 * itself and no other, and numbers keep the digits they were written with.
 * @throws AppError while read: `invalid_import` where it is no array of elements, `import_too_large`.
 */
export async function* splitArray(
  bytes: AsyncIterable<Buffer>,
  rowBytesMax: number,
): AsyncGenerator<JsonRecord> {
  const splitter = createArraySplitter(rowBytesMax);
  for await (const piece of bytes) yield* splitter.push(piece);
  splitter.end();
}

function createArraySplitter(rowBytesMax: number) {
  const lines = createLineCounter();
  let element = createElementScanner();
  let place: Place = 'before_array';
  /** Elements begun; the line the last one starts on; what came of it in earlier pieces. */
  let count = 0;
  let line = 1;
  let parts: Buffer[] = [];
  let partBytes = 0;

  function take(last: Buffer): JsonRecord {
    keep(last);
    const text = Buffer.concat(parts).toString().trim();
    parts = [];
    partBytes = 0;
    return { line, text };
  }

  function keep(part: Buffer): void {
    parts.push(part);
    partBytes += part.length;
    if (partBytes > rowBytesMax) throw rowTooLarge(count, line, rowBytesMax);
  }

  /** A byte that is not part of an element; blanks do not get here. */
  function next(byte: number, where: () => string): Place {
    switch (place) {
      case 'before_array':
        if (byte === ARRAY_START) return 'before_first';
        throw notAnArray(byte);
      case 'before_first':
        if (byte === ARRAY_END) return 'after_array';
        if (byte !== COMMA) return 'in_element';
        break;
      case 'before_next':
        if (byte !== ARRAY_END && byte !== COMMA) return 'in_element';
        break;
      case 'after_element':
        if (byte === COMMA) return 'before_next';
        if (byte === ARRAY_END) return 'after_array';
        break;
    }
    throw invalidImport(`The JSON array is broken ${where()}: ${shown(byte)} does not belong there.`);
  }

  return {
    push(piece: Buffer): JsonRecord[] {
      const records: JsonRecord[] = [];
      let counted = 0;
      const lineOf = (at: number) => {
        lines.count(piece.subarray(counted, at));
        counted = at;
        return lines.line();
      };
      let start = 0;
      for (let at = 0; at < piece.length; at++) {
        const byte = piece[at] ?? 0;
        if (place !== 'in_element') {
          if (isSpace(byte)) continue;
          place = next(byte, () => `on line ${lineOf(at)}, after ${count} rows`);
          if (place !== 'in_element') continue;
          line = lineOf(at);
          count++;
          start = at;
          element = createElementScanner();
        }
        const end = element.step(byte);
        if (end === 'goes_on') continue;
        records.push(take(piece.subarray(start, end === 'with_this' ? at + 1 : at)));
        place = end === 'with_this' ? 'after_element' : byte === COMMA ? 'before_next' : 'after_array';
      }
      lineOf(piece.length);
      if (place === 'in_element') keep(piece.subarray(start));
      return records;
    },

    /** @throws AppError when the array has not ended. */
    end(): void {
      if (place === 'after_array' || place === 'before_array') return;
      const where = count === 0 ? '' : ` in or behind row ${count}, which starts on line ${line}`;
      throw invalidImport(`The JSON array ends too early${where}; was the file cut off?`);
    },
  };
}

/** Tells where one element ends: with its closing bracket, or, for a bare value as in `[1, 2]`, before what follows it. */
function createElementScanner() {
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  return {
    step(byte: number): 'goes_on' | 'with_this' | 'before_this' {
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (byte === BACKSLASH) isEscaped = true;
        else if (byte === QUOTE) isInString = false;
      } else if (byte === QUOTE) isInString = true;
      else if (byte === OBJECT_START || byte === ARRAY_START) depth++;
      else if (byte === OBJECT_END || byte === ARRAY_END) {
        if (depth === 0) return 'before_this';
        depth--;
        if (depth === 0) return 'with_this';
      } else if (byte === COMMA && depth === 0) return 'before_this';
      return 'goes_on';
    },
  };
}

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const shown = (byte: number) => (byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : 'a byte');

function notAnArray(byte: number): Error {
  const what = byte === OBJECT_START ? 'an object' : shown(byte);
  return invalidImport(
    `The JSON must be one array of objects, but starts with ${what}; one object on each line is sent as application/x-ndjson.`,
  );
}
