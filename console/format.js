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
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A code as words: `needs_review` → `needs review`. @param {string} code */
export const words = (code) => code.replaceAll('_', ' ');

const TONES = {
  good: ['succeeded', 'reconciled', 'resolved', 'completed', 'active', 'enabled', 'delivered'],
  bad: ['failed', 'permanent', 'disabled', 'needs_reauth'],
  warn: [
    'needs_review',
    'ambiguous',
    'paused',
    'retryable',
    'rate_limited',
    'waiting',
    'duplicate',
    'deleting',
  ],
  busy: ['running', 'queued', 'receiving', 'pending'],
};
const TONE_OF = new Map(Object.entries(TONES).flatMap(([tone, all]) => all.map((status) => [status, tone])));

/** How a status looks: by colour and, always, by its word. @param {string} status */
export const toneOf = (status) => TONE_OF.get(status) ?? 'plain';

/**
 * An address a reader may be sent to. What a provider or a receiver wrote is never run.
 * @param {string} url
 */
export function safeUrl(url) {
  const parsed = URL.parse(url);
  return parsed && (parsed.protocol === 'https:' || parsed.protocol === 'http:') ? parsed.href : undefined;
}

/** JSON to be read. @param {unknown} value @returns {string} empty for what JSON has no word for */
export const pretty = (value) => JSON.stringify(value, undefined, 2) ?? '';
