import { setTimeout as sleep } from 'node:timers/promises';
import { get, Unreached, urlOf } from './api.ts';
import { ImportState, isEnded } from './import-state.ts';
import { readEvents } from './read-events.ts';
import type { Target } from './target.ts';

/** A connection without even a comment for this long is dead; comments come every 15 s. */
const SILENCE_MAX_MS = 40_000;
const PAUSE_MS = 1_000;

export type Follow = {
  target: Target;
  importId: string;
  signal: AbortSignal;
  onLost: (why: string) => void;
};

/**
 * The import as it changes until it has ended. A lost connection is made again for ever: the import does not depend on it.
 * @throws Stop when it may not be read or does not exist.
 */
export async function* followImport({
  target,
  importId,
  signal,
  onLost,
}: Follow): AsyncGenerator<ImportState> {
  const path = `imports/${encodeURIComponent(importId)}`;
  let lastEventId: string | undefined;
  while (true) {
    try {
      const response = await get(urlOf(target, path), target, signal);
      const state = ImportState.parse(await response.json());
      yield state;
      if (isEnded(state)) return;
      for await (const event of openEvents(target, path, lastEventId, signal)) {
        lastEventId = event.id ?? lastEventId;
        if (event.type !== 'progress') continue;
        const next = ImportState.parse(JSON.parse(event.data));
        yield next;
        if (isEnded(next)) return;
      }
    } catch (err) {
      if (signal.aborted || !(err instanceof Unreached)) throw err;
      onLost(err.message);
    }
    // Also after a stream that ended early: an API that restarts closes it politely.
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

async function* openEvents(
  target: Target,
  path: string,
  lastEventId: string | undefined,
  signal: AbortSignal,
) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
  const url = urlOf(target, `${path}/events`);
  try {
    const response = await get(url, target, AbortSignal.any([signal, silence.signal]), {
      Accept: 'text/event-stream',
      ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }),
    });
    yield* readEvents(response.body ?? [], () => timer.refresh());
  } catch (err) {
    if (signal.aborted || err instanceof Unreached) throw err;
    if (silence.signal.aborted || err instanceof TypeError) {
      throw new Unreached(`The connection to ${url.origin} was lost.`, { cause: err });
    }
    throw err;
  } finally {
    clearTimeout(timer);
  }
}
