import type { Socket } from 'node:net';

/** Everything a provider has put off: delayed work and connections left hanging. */
export type Pending = {
  after(delayMs: number, work: () => void): void;
  /** Keeps a connection open without an answer until `clear`. */
  hang(socket: Socket): void;
  /** Forgets the delayed work and drops the hanging connections. */
  clear(): void;
};

export function createPending(): Pending {
  const timers = new Set<NodeJS.Timeout>();
  const sockets = new Set<Socket>();
  return {
    after(delayMs, work) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        work();
      }, delayMs);
      timers.add(timer);
    },
    hang(socket) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}
