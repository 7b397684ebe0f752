/** How stale a copy may get when the message that should have dropped it was lost. */
const MAX_AGE_MS = 2_000;

type Entry<T> = { value: Promise<T>; expiresAtMs: number };

/**
 * Keeps what was loaded for at most `maxAgeMs` (2 s). Loads under way are shared; one that was overtaken by a `drop` is not kept,
 * and neither is a failure.
 */
export function createShortCache<T>(load: (id: string) => Promise<T>, maxAgeMs = MAX_AGE_MS) {
  const entries = new Map<string, Entry<T>>();
  let sweepAtMs = 0;

  function sweep(nowMs: number): void {
    if (nowMs < sweepAtMs) return;
    sweepAtMs = nowMs + maxAgeMs;
    for (const [id, entry] of entries) if (entry.expiresAtMs <= nowMs) entries.delete(id);
  }

  return {
    get(id: string): Promise<T> {
      const nowMs = Date.now();
      const entry = entries.get(id);
      if (entry && entry.expiresAtMs > nowMs) return entry.value;
      sweep(nowMs);
      const value = load(id);
      entries.set(id, { value, expiresAtMs: nowMs + maxAgeMs });
      value.catch(() => {
        if (entries.get(id)?.value === value) entries.delete(id);
      });
      return value;
    },
    drop: (id: string) => void entries.delete(id),
  };
}
