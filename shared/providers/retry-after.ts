const SECONDS = /^\d{1,9}(?:\.\d{1,9})?$/;
/** The three date forms of RFC 9110 start with a weekday's name; anything else is not taken for a date. */
const DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/i;

/**
 * Waiting time a provider stated in `Retry-After` (or a header of the same form), or undefined if it is
 * absent or unreadable. Seconds may have decimals, which the RFC does not allow and some servers send.
 * @returns milliseconds, 0 or more, rounded up; a date in the past gives 0.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (SECONDS.test(text)) return Math.ceil(Number(text) * 1000);
  if (!DATE.test(text)) return undefined;
  const atMs = Date.parse(/(?:GMT|UTC|Z)$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil(atMs - nowMs));
}

/** A whole or decimal number of at most 15 digits, not negative, else undefined. */
export function parseHeaderNumber(value: string | undefined): number | undefined {
  const text = value?.trim() ?? '';
  return /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}
