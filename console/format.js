/** How values are shown. Pure, save for the reader's clock and language. */

const UNITS = /** @type {const} */ ([
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
]);
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const numbers = new Intl.NumberFormat('en');

/** @param {number} value */
export const number = (value) => numbers.format(value);

/** @param {string} iso */
export const exactTime = (iso) => absolute.format(new Date(iso));

/**
 * `3 minutes ago`, `in 2 hours`.
 * @param {string} iso
 * @param {number} nowMs
 */
export function fromNow(iso, nowMs = Date.now()) {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1_000);
  if (Math.abs(seconds) < 1) return 'now';
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS[3];
  return relative.format(Math.trunc(seconds / size), unit);
}

/** `1.2 s`, `3 min 20 s`. @param {number} ms */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A code as words: `needs_review` → `needs review`. @param {string} code */
export const words = (code) => code.replaceAll('_', ' ');

/** @type {Record<string, 'good' | 'bad' | 'warn' | 'busy'>} */
const TONES = {
  ...{ succeeded: 'good', reconciled: 'good', resolved: 'good', completed: 'good', active: 'good' },
  ...{ enabled: 'good', delivered: 'good' },
  ...{ failed: 'bad', permanent: 'bad', disabled: 'bad', needs_reauth: 'bad' },
  ...{ needs_review: 'warn', ambiguous: 'warn', paused: 'warn', retryable: 'warn', rate_limited: 'warn' },
  ...{ waiting: 'warn', duplicate: 'warn', deleting: 'warn' },
  ...{ running: 'busy', queued: 'busy', receiving: 'busy', pending: 'busy' },
};

/** @param {string} status */
export const toneOf = (status) => TONES[status] ?? 'plain';

/**
 * An address a reader may be sent to. What a provider or a receiver wrote is never run.
 * @param {string} url
 */
export function safeUrl(url) {
  const parsed = URL.parse(url);
  return parsed && (parsed.protocol === 'https:' || parsed.protocol === 'http:') ? parsed.href : undefined;
}

/** @param {unknown} value */
export const pretty = (value) => JSON.stringify(value, undefined, 2);
