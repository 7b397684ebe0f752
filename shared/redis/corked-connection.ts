import { Redis } from 'ioredis';

/**
 * A connection that hands the system all commands of one turn of the event loop at once: the socket is corked by the first of
 * them and let go when the turn's other events have been seen. What ioredis has for that, `enableAutoPipelining`, makes a
 * pipeline and five promises more for every command; a write to a provider has four.
 */
export class CorkedConnection extends Redis {
  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    const socket = this.stream;
    // The handshake waits for each of its answers, and on a socket that has ended there is nothing to hold back.
    if (this.status === 'ready' && socket?.writable && socket.writableCorked === 0) {
      socket.cork();
      setImmediate(() => socket.uncork());
    }
    return super.sendCommand(...args);
  }
}
