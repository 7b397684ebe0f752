import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Format } from './arguments.ts';
import { Stop } from './stop.ts';

/** What is uploaded. */
export type Source = {
  name: string;
  contentType: string;
  contentEncoding?: 'gzip';
  /** undefined: a stream whose end nobody knows. */
  sizeBytes?: number;
  /** Opens it from the start; standard input can be read once only. */
  open: () => AsyncIterable<Uint8Array>;
  isRepeatable: boolean;
};

const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
};
const EXTENSIONS: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'csv',
  tab: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
};

/**
 * The file to import, or standard input for `-`.
 * @param folder what a relative path is relative to: npm runs us elsewhere than the user stands.
 * @throws Stop when it cannot be read, or its format cannot be told.
 */
export async function openSource(
  file: string,
  format: Format | undefined,
  folder: string,
  stdin: AsyncIterable<Uint8Array>,
): Promise<Source> {
  if (file === '-') return openStdin(format, stdin);
  const path = resolve(folder, file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new Stop(`There is no file ${path}.`);
  const [, extension = '', gz] = /\.([a-z]+?)(\.gz)?$/.exec(basename(path).toLowerCase()) ?? [];
  const end = Math.max(0, found.size - 1);
  const chosen = format ?? EXTENSIONS[extension] ?? (await sniff(createReadStream(path, { end: 15 })));
  return {
    name: basename(path),
    contentType: CONTENT_TYPES[chosen],
    ...(gz === undefined ? {} : { contentEncoding: 'gzip' }),
    sizeBytes: found.size,
    // No further than it was when its size was told, should somebody append to it now.
    open: () => (found.size === 0 ? nothing() : createReadStream(path, { end, highWaterMark: 262_144 })),
    isRepeatable: true,
  };
}

async function openStdin(format: Format | undefined, stdin: AsyncIterable<Uint8Array>): Promise<Source> {
  const iterator = stdin[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head = first.done ? Buffer.alloc(0) : Buffer.from(first.value);
  async function* open() {
    if (head.length > 0) yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return {
    name: 'standard input',
    contentType: CONTENT_TYPES[format ?? formatOf(head)],
    open,
    isRepeatable: false,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function sniff(stream: AsyncIterable<Uint8Array>): Promise<Format> {
  for await (const chunk of stream) return formatOf(Buffer.from(chunk));
  return 'csv';
}

function formatOf(head: Buffer): Format {
  if (head[0] === 0x1f && head[1] === 0x8b) {
    throw new Stop('The input is gzip; say what is inside: --format csv, ndjson or json.');
  }
  const start = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (start.startsWith('[')) return 'json';
  return start.startsWith('{') ? 'ndjson' : 'csv';
}

/**
 * The mapping as compact JSON, given as JSON or as the name of a file that holds it.
 * @throws Stop when it is neither.
 */
export async function readMapping(given: string, folder: string): Promise<string> {
  const isJson = given.trimStart().startsWith('{');
  const path = resolve(folder, given);
  const content = isJson ? given : await readFile(path, 'utf8').catch(() => undefined);
  if (content === undefined) throw new Stop(`There is no mapping file ${path}.`);
  try {
    return JSON.stringify(JSON.parse(content));
  } catch (err) {
    const why = err instanceof Error ? err.message : '';
    throw new Stop(`${isJson ? '--mapping' : path} is not valid JSON: ${why}`);
  }
}
