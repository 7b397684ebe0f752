/** Bulk calls of this process that wait in place for their turn, and may be asked to make room for a single create. */
export type GiveWay = ReturnType<typeof createGiveWay>;

type Waiter = { isReserved: boolean; end: (asked: boolean) => void };

export function createGiveWay() {
  const waiting = new Map<string, Set<Waiter>>();

  return {
    /**
     * Waits so long, or until asked to make way.
     * @param isReserved it holds a slot, which would be lost: those that hold none are asked first.
     * @returns whether it was asked.
     */
    wait(account: string, ms: number, isReserved: boolean): Promise<boolean> {
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

    /** A single create of the account was accepted: the one that came last makes way, as far as it is known. */
    ask(account: string): void {
      const latestFirst = [...(waiting.get(account) ?? [])].reverse();
      (latestFirst.find(({ isReserved }) => !isReserved) ?? latestFirst[0])?.end(true);
    },
  };
}
