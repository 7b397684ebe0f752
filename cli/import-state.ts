import { z } from 'zod';

/** What this client relies on of an import; a newer API may say more. */
export const ImportState = z.object({
  id: z.string(),
  status: z.string(),
  counts: z.object({
    total: z.number(),
    queued: z.number(),
    running: z.number(),
    succeeded: z.number(),
    failed: z.number(),
    needs_review: z.number(),
    cancelled: z.number(),
    duplicate: z.number(),
  }),
  warnings: z
    .array(
      z.object({ code: z.string(), pointer: z.string().optional(), message: z.string(), rows: z.number() }),
    )
    .default([]),
  rows_per_second: z.number().nullable(),
  eta_seconds: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
});
export type ImportState = z.infer<typeof ImportState>;

export const DryRunReport = z.object({
  valid: z.boolean(),
  counts: z.object({ total: z.number(), valid: z.number(), failed: z.number(), with_warnings: z.number() }),
  warnings_by_code: z.record(z.string(), z.number()),
  errors: z.array(
    z.object({
      row: z.number(),
      line: z.number(),
      failures: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
    }),
  ),
});
export type DryRunReport = z.infer<typeof DryRunReport>;

const ENDED = ['completed', 'cancelled', 'failed'];

export function isEnded({ status }: ImportState): boolean {
  return ENDED.includes(status);
}

/** 0: every row succeeded or is a duplicate. */
export function exitCodeOf({ status, counts }: ImportState): 0 | 1 {
  return status === 'completed' && counts.succeeded + counts.duplicate === counts.total ? 0 : 1;
}

/** Rows nothing more will happen to by itself. */
export function doneRows({ counts }: ImportState): number {
  return counts.total - counts.queued - counts.running;
}
