import { z } from 'zod';

/** What a BullMQ job carries: ids only, with the version of this shape. The record is the truth. */
export const WriteMessage = z.object({ v: z.literal(1), job: z.string(), generation: z.int() });
export type WriteMessage = z.infer<typeof WriteMessage>;

/** The feeder of one import; an older generation is ignored. */
export const ImportMessage = z.object({ v: z.literal(1), import: z.string(), generation: z.int() });
export type ImportMessage = z.infer<typeof ImportMessage>;

/** Which of the two a message of an account's queue is; its shape is checked by who works it. */
export function isImportMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'import' in message;
}

/** One delivery in one round; an older round is ignored. */
export const DeliverMessage = z.object({ v: z.literal(1), delivery: z.string(), round: z.int() });
export type DeliverMessage = z.infer<typeof DeliverMessage>;

/**
 * Priority classes within an account's queue; BullMQ serves the lower number first, and 0 is never used. What is given back
 * stands before what is new of its own kind, and bulk work never before interactive.
 */
export const PRIORITY = { givenBack: 1, interactive: 2, bulkGivenBack: 3, bulk: 4 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

/** What the API asks a worker about an account's provider; the answer comes back under `id`. */
export const QueryMessage = z.object({
  v: z.literal(1),
  id: z.string(),
  account: z.string(),
  ask: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('check') }),
    z.object({ kind: z.literal('facts') }),
    z.object({ kind: z.literal('record'), remoteId: z.string() }),
  ]),
});
export type QueryMessage = z.infer<typeof QueryMessage>;
export type Ask = QueryMessage['ask'];

/** Answer of an account query, as it rests under its key for a minute. */
export const QueryAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown(), at_ms: z.number() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string(), at_ms: z.number() }),
]);
export type QueryAnswer = z.infer<typeof QueryAnswer>;
