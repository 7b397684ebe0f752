import { setTimeout as delay } from 'node:timers/promises';

export type WaitOptions = {
  withinMs: number;
  /** Ends the waiting early: whoever should answer is gone. */
  isOver: () => boolean;
};

/** Whether `url` answered with a 2xx before the time was over. */
export async function waitForAnswer(url: string, { withinMs, isOver }: WaitOptions): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline && !isOver()) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await response.arrayBuffer();
      if (response.ok) return true;
    } catch {
      // Not listening yet.
    }
    await delay(50);
  }
  return false;
}
