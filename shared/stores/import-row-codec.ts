import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import { ROW_RESULTS, type RowResult, type RowStatus, type StoredRow } from '../domain/import.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Characters of a message that a result keeps: many rows may fail. */
const MESSAGE_CHARS_MAX = 300;

/** Body and original are one text where they are equal, and most of each other's text where not: gzip sees to it. */
export async function packRows(rows: readonly StoredRow[]): Promise<Buffer> {
  const lines = rows.map(({ row, line, original, body, dedupeKey }) =>
    JSON.stringify([
      row,
      line,
      original,
      body === original ? 0 : (body ?? null),
      ...(dedupeKey ? [dedupeKey] : []),
    ]),
  );
  // The quickest level: a third of the time for a tenth more bytes.
  return pack(lines.join('\n'), { level: constants.Z_BEST_SPEED });
}

export async function unpackRows(packed: Buffer): Promise<StoredRow[]> {
  const text = (await unpack(packed)).toString();
  return text.split('\n').map((line): StoredRow => {
    // Written by packRows.
    const [row, physical, original, body, dedupeKey] = JSON.parse(line) as [
      number,
      number,
      string,
      string | 0 | null,
      string?,
    ];
    return {
      row,
      line: physical,
      original,
      body: body === 0 ? original : (body ?? undefined),
      ...(dedupeKey === undefined ? {} : { dedupeKey }),
    };
  });
}

/** queued → running → succeeded: not written down, since nearly every row goes that way. */
const SEQUENCE_WRITTEN_AT_ONCE = 3;

const LETTERS = {
  succeeded: 's',
  failed: 'f',
  needs_review: 'r',
  cancelled: 'c',
  duplicate: 'd',
} as const satisfies Record<RowStatus, string>;

/** A result as few characters: a letter and the remote id, with an unusual sequence, or a letter and JSON. */
export function encodeResult(result: RowResult): string {
  const letter = LETTERS[result.status];
  const { remoteId, code, message, pointer, attempt = 0, generation = 0, sequence = 0, owner } = result;
  if (result.status === 'succeeded') {
    const isUsual = result.sequence === undefined || result.sequence === SEQUENCE_WRITTEN_AT_ONCE;
    return `${letter}${remoteId ?? ''}${isUsual ? '' : ` ${sequence}`}`;
  }
  if (result.status === 'duplicate') return `${letter}${remoteId ?? ''} ${owner ?? ''}`;
  return (
    letter +
    JSON.stringify([
      attempt,
      generation,
      code ?? null,
      message?.slice(0, MESSAGE_CHARS_MAX) ?? null,
      pointer ?? null,
      ...(sequence > 0 ? [sequence] : []),
    ])
  );
}

/** Undefined for a row that is to be tried again (`q`): see {@link livesOf}. */
export function decodeResult(text: string): RowResult | undefined {
  const rest = text.slice(1);
  if (text[0] === 's') {
    const [remoteId = '', sequence = SEQUENCE_WRITTEN_AT_ONCE] = rest.split(' ');
    return { status: 'succeeded', remoteId, sequence: Number(sequence) };
  }
  if (text[0] === 'd') {
    const [remoteId, owner] = rest.split(' ');
    return { status: 'duplicate', remoteId: remoteId || undefined, owner: owner || undefined };
  }
  const status = ROW_RESULTS.find((known) => LETTERS[known] === text[0]);
  if (!status) return undefined;
  // Written by encodeResult.
  const [attempt, generation, code, message, pointer, sequence] = JSON.parse(rest) as [
    number,
    number,
    string | null,
    string | null,
    string | null,
    number?,
  ];
  return {
    status,
    attempt,
    generation,
    code: code ?? undefined,
    message: message ?? undefined,
    pointer: pointer ?? undefined,
    sequence,
  };
}

/** A row that was a job before and gave its record up: where its numbers go on. */
export type EarlierLife = { attempt: number; generation: number; sequence: number };

export const encodeAgain = ({ attempt, generation, sequence }: EarlierLife) =>
  `q[${attempt},${generation},${sequence}]`;

export function decodeAgain(text: string): EarlierLife | undefined {
  if (!text.startsWith('q')) return undefined;
  // Written by encodeAgain, here or in a script.
  const [attempt, generation, sequence = 0] = JSON.parse(text.slice(1)) as [number, number, number?];
  return { attempt, generation, sequence };
}
