import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Everything a provider has put off: delayed work and connections left hanging. */
export type Pending = {
  after(delayMs: number, work: () => void): void;
  /** Keeps a connection open without an answer until `clear`, or until it is answered after all. */
  hang(socket: Socket, res: ServerResponse): void;
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
    hang(socket, res) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // Answered after all: from now on it is a kept-alive connection like any other.
      res.once('finish', () => sockets.delete(socket));
    },
    clear() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
  };
}
