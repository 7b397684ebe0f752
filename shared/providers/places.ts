/**
 * A fair bound on calls in flight in this process: first come, first served, and no provider host may hold more than
 * half of the places, so that a host that hangs cannot take them all.
 */
export type Places = {
  take(host: string): Promise<() => void>;
  /** How many are free, and how many calls wait for one. */
  state(): { free: number; waiting: number };
};

type Waiter = { arrived: number; enter: () => void };

export function createPlaces(total: number): Places {
  const perHost = Math.max(1, Math.ceil(total / 2));
  const held = new Map<string, number>();
  /** By host, each in the order of arrival; a host nobody waits for has no entry. */
  const queues = new Map<string, Waiter[]>();
  let free = total;
  let waiting = 0;
  let arrivals = 0;

  const fits = (host: string) => free > 0 && (held.get(host) ?? 0) < perHost;

  /** The one that came first among those whose host is not full. Thousands may wait; the hosts are few. */
  function next(): Waiter | undefined {
    let first: [host: string, queue: Waiter[], arrived: number] | undefined;
    for (const [host, queue] of queues) {
      const arrived = queue[0]?.arrived ?? 0;
      if (fits(host) && (!first || arrived < first[2])) first = [host, queue, arrived];
    }
    if (!first) return undefined;
    const [host, queue] = first;
    waiting--;
    if (queue.length === 1) queues.delete(host);
    return queue.shift();
  }

  function occupy(host: string): () => void {
    free--;
    held.set(host, (held.get(host) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      free++;
      const left = (held.get(host) ?? 1) - 1;
      if (left === 0) held.delete(host);
      else held.set(host, left);
      next()?.enter();
    };
  }

  return {
    state: () => ({ free, waiting }),

    take(host) {
      if (fits(host)) return Promise.resolve(occupy(host));
      const { promise, resolve } = Promise.withResolvers<() => void>();
      const queue = queues.get(host) ?? [];
      queues.set(host, queue);
      queue.push({ arrived: arrivals++, enter: () => resolve(occupy(host)) });
      waiting++;
      return promise;
    },
  };
}
