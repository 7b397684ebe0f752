import type { Hash } from 'node:crypto';
import type { Clock } from '../clock.ts';

/**
 * The bytes of an upload as they come, hashed. Now and then it says that they do: rows that trickle in may take long to fill a
 * chunk, and such an upload does not stand still.
 */
export async function* watchUpload(
  stream: AsyncIterable<Uint8Array>,
  watch: { hash: Hash; clock: Clock; everyMs: number; sayArriving: () => Promise<void> },
): AsyncGenerator<Uint8Array> {
  let saidMs = watch.clock.nowMs();
  for await (const bytes of stream) {
    watch.hash.update(bytes);
    const nowMs = watch.clock.nowMs();
    if (nowMs - saidMs >= watch.everyMs) {
      saidMs = nowMs;
      await watch.sayArriving();
    }
    yield bytes;
  }
}
