/** What the caller prefers, as far as we know preferences. */
export type Preferences = {
  /** Seconds, capped. */
  waitSeconds?: number;
  respondAsync: boolean;
};

export const WAIT_SECONDS_MAX = 60;

/** A preference up to the next comma that is not inside quotes. */
const PREFERENCE = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g;

/**
 * Reads `Prefer`. What is malformed or unknown is ignored, as the RFC wants; of a preference given twice the first
 * counts. `respond-async, wait=10` means: asynchronously, if it takes longer than 10 s.
 * @see https://www.rfc-editor.org/rfc/rfc7240
 */
export function parsePrefer(header: string | string[] | undefined): Preferences {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  const found = new Map<string, string>();
  for (const [preference] of text.slice(0, 2_000).matchAll(PREFERENCE)) {
    const [pair = ''] = preference.split(';');
    const at = pair.indexOf('=');
    const name = (at === -1 ? pair : pair.slice(0, at)).trim().toLowerCase();
    const value =
      at === -1
        ? ''
        : pair
            .slice(at + 1)
            .trim()
            .replace(/^"(.*)"$/, '$1');
    if (name !== '' && !found.has(name)) found.set(name, value);
  }
  const wait = found.get('wait');
  const waitSeconds =
    wait !== undefined && /^\d+$/.test(wait) ? Math.min(Number(wait), WAIT_SECONDS_MAX) : undefined;
  return { waitSeconds, respondAsync: found.has('respond-async') };
}

export type WaitDecision = { seconds: number; applied: string | undefined };

/** How long a create waits, and what `Preference-Applied` says. */
export function decideWait(preferences: Preferences, defaultWaitSeconds: number): WaitDecision {
  const { waitSeconds, respondAsync } = preferences;
  if (waitSeconds !== undefined) return { seconds: waitSeconds, applied: `wait=${waitSeconds}` };
  if (respondAsync) return { seconds: 0, applied: 'respond-async' };
  return { seconds: defaultWaitSeconds, applied: undefined };
}
