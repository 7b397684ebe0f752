/**
 * Milliseconds of one of Close's times. Records carry `+00:00`, events and some lists no zone at all; both mean UTC, where the
 * language would take the latter for the zone of this machine. Undefined: no time.
 */
export function parseTime(text: unknown): number | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  const ms = Date.parse(/(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
