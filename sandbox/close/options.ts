import { z } from 'zod';

/** The live tester's finding is 30 to 60 seconds; the sandbox takes the lower end unless told otherwise. */
const DEFAULT_LIST_LAG_MS = 30_000;

const lagMs = z.number().int().nonnegative();

const Settings = z.strictObject({
  /** How far the list is behind. */
  list_lag_ms: lagMs.optional(),
  /** How far text search is behind; twice the list's lag unless given. */
  search_lag_ms: lagMs.optional(),
  /** How late the events chosen by event_late_every show up. */
  event_lag_ms: lagMs.optional(),
  /** Every n-th event is late: 1 delays all alike, 2 and more makes them surface out of order. */
  event_late_every: z.number().int().positive().optional(),
  ratelimit_header: z.enum(['semicolon', 'comma', 'absent', 'retry_after_only', 'old']).optional(),
  limit_body: z.enum(['none', 'object', 'flat']).optional(),
  /** The organisation's currency; there is no other in Close. */
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .optional(),
});

export type CloseOptions = {
  listLagMs: number;
  searchLagMs: number | undefined;
  eventLagMs: number;
  eventLateEvery: number;
  ratelimitHeader: 'semicolon' | 'comma' | 'absent' | 'retry_after_only' | 'old';
  limitBody: 'none' | 'object' | 'flat';
  currency: string;
};

export function defaultOptions(): CloseOptions {
  return {
    listLagMs: DEFAULT_LIST_LAG_MS,
    searchLagMs: undefined,
    eventLagMs: 0,
    eventLateEvery: 1,
    ratelimitHeader: 'semicolon',
    limitBody: 'none',
    currency: 'EUR',
  };
}

/** The options with the given ones replaced. Throws when one is unknown or out of range. */
export function applyOptions(options: CloseOptions, given: Record<string, unknown>): CloseOptions {
  const parsed = Settings.safeParse(given);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const settings = parsed.data;
  return {
    listLagMs: settings.list_lag_ms ?? options.listLagMs,
    searchLagMs: settings.search_lag_ms ?? options.searchLagMs,
    eventLagMs: settings.event_lag_ms ?? options.eventLagMs,
    eventLateEvery: settings.event_late_every ?? options.eventLateEvery,
    ratelimitHeader: settings.ratelimit_header ?? options.ratelimitHeader,
    limitBody: settings.limit_body ?? options.limitBody,
    currency: settings.currency ?? options.currency,
  };
}
