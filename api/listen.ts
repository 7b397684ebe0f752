import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { StartError } from '../shared/start-error.ts';
import { refuseHostless, refuseMalformed } from './refuse-malformed.ts';

export type Listening = {
  url: string;
  port: number;
  /** Stops accepting and resolves when the last request is answered. */
  close: () => Promise<void>;
};

/** Longer than the idle time of common load balancers (60 s), so that they, not we, close a connection. */
const KEEP_ALIVE_MS = 65_000;
/** A large import takes a while to arrive, as fast as Redis takes it; Node's own default is five minutes. */
const REQUEST_MS = 3_600_000;
const SWEEP_MS = 50;

/**
 * @param port 0 = any that is free.
 * @throws StartError when the port is taken or not allowed.
 */
export async function listen(handler: RequestListener, port: number, host: string): Promise<Listening> {
  let underWay = 0;
  const owedTo = new WeakMap<Duplex, Set<ServerResponse>>();
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: KEEP_ALIVE_MS + 1_000,
      requestTimeout: REQUEST_MS,
      requireHostHeader: false,
    },
    (req, res) => serve(req, res),
  );
  const serve: RequestListener = (req, res) => {
    underWay += 1;
    const owed = owedTo.get(req.socket) ?? new Set();
    owedTo.set(req.socket, owed.add(res));
    res.once('close', () => {
      underWay -= 1;
      owed.delete(res);
    });
    if (!refuseHostless(req, res)) handler(req, res);
  };
  // What else a client expects than `100-continue` may be left unmet (RFC 9110, 10.1.1); Node would answer 417 with nothing.
  server.on('checkExpectation', serve);
  server.on('clientError', (err, socket) => refuseMalformed(err, socket, owedTo.get(socket) ?? new Set()));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (err: NodeJS.ErrnoException) => reject(new StartError(sentenceFor(err, port, host))));
  server.listen(port, host, resolve);
  await promise;
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () => {
      const closed = Promise.withResolvers<void>();
      const sweep = setInterval(() => {
        // A connection becomes idle only after its last answer; one that never sent anything never counts as idle.
        if (underWay === 0) server.closeAllConnections();
        else server.closeIdleConnections();
      }, SWEEP_MS);
      server.close(() => {
        clearInterval(sweep);
        closed.resolve();
      });
      return closed.promise;
    },
  };
}

function sentenceFor(err: NodeJS.ErrnoException, port: number, host: string): string {
  switch (err.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is taken by another program; set PORT to a free one.`;
    case 'EACCES':
      return `Port ${port} on ${host} is not allowed for this user; set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}; set HOST to one it has.`;
    default:
      return `Cannot listen on ${host}:${port}: ${err.message}`;
  }
}
