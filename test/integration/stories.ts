import { describe, it } from 'vitest';

/** Stories that belong together. */
export const group = describe;

/** Not all at once: a machine that is busy with the first calls of a hundred accounts answers none of them in time. */
const AT_ONCE = 32;

export type Stories = {
  /** A test of its own whose work begins with `begin`, beside all others of the file. */
  story: (name: string, work: () => Promise<void>) => void;
  /** Begins all stories at once; call it when what they share is ready. */
  begin: () => void;
};

/**
 * Tests that spend their time waiting (for verdicts, time-outs, back-offs) run beside each other: a file takes as long
 * as its longest story. Vitest's own concurrency stops at five.
 */
export function createStories(timeoutMs = 60_000): Stories {
  const works: (() => Promise<void>)[] = [];
  return {
    story(name, work) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // The test below reports it; until that is reached nobody listens.
      promise.catch(() => {});
      works.push(() => work().then(resolve, reject));
      it(name, () => promise, timeoutMs);
    },
    begin() {
      const next = async (): Promise<void> => {
        const work = works.shift();
        if (!work) return;
        await work();
        await next();
      };
      for (let lane = 0; lane < AT_ONCE; lane++) next();
    },
  };
}
