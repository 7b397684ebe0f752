/** What a processor wants of the engine when it is through with a message. */
export type NextStep =
  /** Nothing more to do for this message. */
  | { kind: 'done' }
  /** Give the message back until `untilMs`; no attempt is spent, and it comes before new ones. */
  | {
      kind: 'wait';
      untilMs: number;
      /** The whole queue waits, not only this message: do not fetch others in vain. */
      wholeQueue: boolean;
    };

export const DONE: NextStep = { kind: 'done' };

export function waitUntil(untilMs: number, wholeQueue = false): NextStep {
  return { kind: 'wait', untilMs, wholeQueue };
}

/** What runs a queue's messages; `signal` aborts when the engine lost the lock or the process must stop. */
export type Processor = (message: unknown, signal: AbortSignal) => Promise<NextStep>;
