import { z } from 'zod';

const Settings = z.strictObject({
  /** How long a new opportunity stays out of filter results and search. */
  filter_lag_ms: z.number().int().nonnegative().optional(),
  /** An automation of the account clears the owner right after a create. */
  automation: z.boolean().optional(),
  /** Whether a refresh gives a new refresh token and ends the old one; the vendor promises neither. */
  refresh: z.enum(['rotate', 'keep']).optional(),
});

export type CapsuleOptions = { filterLagMs: number; automation: boolean; refresh: 'rotate' | 'keep' };

export function defaultOptions(): CapsuleOptions {
  return { filterLagMs: 0, automation: false, refresh: 'rotate' };
}

/** The options with the given ones replaced. Throws when one is unknown or out of range. */
export function applyOptions(options: CapsuleOptions, given: Record<string, unknown>): CapsuleOptions {
  const parsed = Settings.safeParse(given);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const settings = parsed.data;
  return {
    filterLagMs: settings.filter_lag_ms ?? options.filterLagMs,
    automation: settings.automation ?? options.automation,
    refresh: settings.refresh ?? options.refresh,
  };
}
