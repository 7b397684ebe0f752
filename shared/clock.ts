/** Source of wall-clock time; passed in wherever logic must be testable. */
export type Clock = { nowMs(): number };

export const systemClock: Clock = { nowMs: () => Date.now() };

/** ISO 8601 in UTC with `Z`, as every time in our answers. */
export function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Like {@link toIso}, but absent stays absent. */
export function toIsoOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : toIso(ms);
}
