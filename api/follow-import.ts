import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'express';
import type { ImportView } from '../shared/contract/import-view.ts';
import { type ImportRecord, isImportEnded } from '../shared/domain/import.ts';

/** Progress is made of many small steps: looking twice a second shows it well enough and costs two reads. */
const LOOK_MS = 500;
const HEARTBEAT_MS = 15_000;

/** The import as it changes, from `record` to its end, or until `signal`. */
export async function* followImport(
  deps: { imports: { find(id: string): Promise<ImportRecord | undefined> } },
  record: ImportRecord,
  signal: AbortSignal,
): AsyncGenerator<ImportRecord> {
  let last = record;
  yield last;
  while (!isImportEnded(last.status) && !signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    const now = await deps.imports.find(record.id);
    // Deleted: nothing more will happen.
    if (!now) return;
    if (now.revision === last.revision) continue;
    last = now;
    yield last;
  }
}

export type ImportEvents = {
  states: AsyncIterable<ImportRecord>;
  /** Revision the client has. */
  lastSeen: number;
  view: (record: ImportRecord) => Promise<ImportView>;
};

/** Writes states as server-sent events. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
export async function sendEvents(res: Response, { states, lastSeen, view }: ImportEvents): Promise<void> {
  res.writeHead(200, {
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-cache',
    // A proxy that collects answers would hold every event back.
    'X-Accel-Buffering': 'no',
  });
  res.write('retry: 2000\n\n');
  const heartbeat = setInterval(() => res.write(': alive\n\n'), HEARTBEAT_MS);
  try {
    for await (const state of states) {
      const isEnd = isImportEnded(state.status);
      if (state.revision <= lastSeen && !isEnd) continue;
      const data = JSON.stringify(await view(state));
      res.write(`event: progress\nid: ${state.revision}\ndata: ${data}\n\n`);
      if (isEnd) res.write(`event: end\nid: ${state.revision}\ndata: ${data}\n\n`);
    }
  } finally {
    clearInterval(heartbeat);
    res.end();
  }
}
