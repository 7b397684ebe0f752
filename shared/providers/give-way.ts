/** Bulk calls of this process that wait in place for their turn, and may be asked to make room for a single create. */
export type GiveWay = ReturnType<typeof createGiveWay>;

/** A message that is just being taken up is not waiting yet. */
const ASKED_MS = 100;

type Waiter = { isReserved: boolean; end: (asked: boolean) => void };

export function createGiveWay() {
  const waiting = new Map<string, Set<Waiter>>();
  /** Accounts that were asked when nobody waited → forgets it. */
  const asked = new Map<string, NodeJS.Timeout>();

  function wasAsked(account: string): boolean {
    clearTimeout(asked.get(account));
    return asked.delete(account);
  }

  return {
    /**
     * Waits so long, or until asked to make way.
     * @param isReserved it holds a slot, which would be lost: those that hold none are asked first.
     * @returns whether it was asked.
     */
    wait(account: string, ms: number, isReserved: boolean): Promise<boolean> {
      if (wasAsked(account)) return Promise.resolve(true);
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const ofAccount = waiting.get(account) ?? new Set();
      waiting.set(account, ofAccount);
      const waiter = {
        isReserved,
        end(asked: boolean) {
          clearTimeout(timer);
          ofAccount.delete(waiter);
          if (ofAccount.size === 0 && waiting.get(account) === ofAccount) waiting.delete(account);
          resolve(asked);
        },
      };
      const timer = setTimeout(() => waiter.end(false), ms);
      ofAccount.add(waiter);
      return promise;
    },

    /** A single create of the account was accepted: the one that came last makes way, or one that comes in a moment. */
    ask(account: string): void {
      const latestFirst = [...(waiting.get(account) ?? [])].reverse();
      const waiter = latestFirst.find(({ isReserved }) => !isReserved) ?? latestFirst[0];
      if (waiter) {
        waiter.end(true);
        return;
      }
      wasAsked(account);
      asked.set(account, setTimeout(() => asked.delete(account), ASKED_MS).unref());
    },
  };
}
