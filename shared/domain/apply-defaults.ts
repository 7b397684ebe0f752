import { type AccountDefaults, addDateDuration, parseDateDuration } from './integrated-account.ts';
import type { OpportunityInput } from './opportunity.ts';

/**
 * The account's defaults for fields the caller left out; a field that was sent at all is left as it is.
 * A duration in `close_date` becomes a date now, so that a later attempt writes what was accepted. Pure.
 */
export function findDefaults(
  opportunity: OpportunityInput,
  defaults: AccountDefaults | undefined,
  nowMs: number,
): Partial<OpportunityInput> {
  if (defaults === undefined) return {};
  const absent = Object.entries(defaults).filter(
    ([field, value]) => value !== undefined && !Object.hasOwn(opportunity, field),
  );
  const applied: Partial<OpportunityInput> = Object.fromEntries(absent);
  const duration = applied.close_date === undefined ? undefined : parseDateDuration(applied.close_date);
  return duration === undefined ? applied : { ...applied, close_date: addDateDuration(nowMs, duration) };
}
