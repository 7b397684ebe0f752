import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { importTooLarge, invalidImport } from './refuse.ts';

/** Bytes handled at a time, however large the pieces are that come in: what is read ahead stays small. */
const PIECE_BYTES = 65_536;

const GZIP = [0x1f, 0x8b];
/** What people send instead of a text file, by its first bytes. */
const FOREIGN: [signature: number[], what: string][] = [
  [[0x50, 0x4b, 0x03, 0x04], 'an Excel workbook or a ZIP archive'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Excel workbook'],
  [[0x25, 0x50, 0x44, 0x46], 'a PDF'],
];
const SIGNATURE_BYTES = 4;

/**
 * The plain bytes of an import, in pieces of at most 64 KiB. Gzip is unpacked whether the header says so or the bytes do,
 * twice at most: `Content-Encoding: gzip` over a `.csv.gz`.
 * @throws AppError while read: `invalid_import` for broken gzip or a file that is no text, `import_too_large`.
 */
export async function* unpack(
  stream: AsyncIterable<Uint8Array>,
  isSaidToBeGzip: boolean,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  const outer = await peek(toPieces(stream));
  const isGzip = startsWith(outer.head, GZIP);
  if (isSaidToBeGzip && !isGzip && outer.head.length > 0) {
    throw invalidImport('Content-Encoding is gzip, but the body is not gzip.');
  }
  let plain = isGzip ? await peek(toPieces(gunzip(outer.bytes))) : outer;
  if (isGzip && startsWith(plain.head, GZIP)) plain = await peek(toPieces(gunzip(plain.bytes)));
  const foreign = FOREIGN.find(([signature]) => startsWith(plain.head, signature));
  if (foreign) throw invalidImport(`The file is ${foreign[1]}. Save the sheet as "CSV UTF-8" and send that.`);
  let total = 0;
  for await (const piece of plain.bytes) {
    total += piece.length;
    if (total > bytesMax) throw importTooLarge(`The import is larger than ${bytesMax} bytes unpacked.`);
    yield piece;
  }
}

async function* toPieces(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const part = chunk.subarray(at, at + PIECE_BYTES);
      yield Buffer.from(part.buffer, part.byteOffset, part.length);
    }
  }
}

/** The first bytes, and all of them: the stream as if nobody had looked. */
async function peek(bytes: AsyncGenerator<Buffer>): Promise<{ head: Buffer; bytes: AsyncGenerator<Buffer> }> {
  let head = Buffer.alloc(0);
  while (head.length < SIGNATURE_BYTES) {
    const next = await bytes.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* replay() {
    try {
      if (head.length > 0) yield head;
      yield* bytes;
    } finally {
      // A reader that stops at the head must still end what feeds us.
      await bytes.return(undefined);
    }
  }
  return { head, bytes: replay() };
}

function startsWith(head: Buffer, signature: number[]): boolean {
  return head.length >= signature.length && signature.every((byte, at) => head[at] === byte);
}

async function* gunzip(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzipped = createGunzip();
  // Its errors, and those of the source, come out of the iteration below.
  pipeline(Readable.from(packed), gunzipped, () => {});
  try {
    yield* gunzipped;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'Z_BUF_ERROR') throw invalidImport('The gzip body ends too early.', undefined, cause);
    if (code.startsWith('Z_')) throw invalidImport('The gzip body is damaged.', undefined, cause);
    throw cause;
  }
}
