import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Received = { method: string; url: URL; headers: IncomingMessage['headers']; body: string };
export type Handler = (req: IncomingMessage, res: ServerResponse, received: Received) => unknown;

export type FakeImportsApi = {
  origin: string;
  /** Requests whose body has been read, in order. */
  received: Received[];
  [Symbol.asyncDispose](): Promise<void>;
};

export const IMPORT_ID = '019b0c7e-6d1f-8000-8000-5f2e8a7d0b2a';

/** An import as the API shows it. */
export function anImport(status: string, counts: Record<string, number> = {}, more: object = {}) {
  const none = {
    total: 4,
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    needs_review: 0,
    cancelled: 0,
    duplicate: 0,
  };
  return {
    id: IMPORT_ID,
    object: 'import',
    status,
    counts: { ...none, ...counts },
    rows_per_second: 2.5,
    eta_seconds: 3,
    error: null,
    ...more,
  };
}

export function answer(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
}

export const sendEvent = (res: ServerResponse, type: string, id: number, data: unknown) =>
  res.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);

/**
 * An API that says what a test wants: `handlers` by `METHOD /path`; a list is used up in order, its last one stays.
 * A handler under `early` gets the request before its body is read.
 */
export async function startFakeImportsApi(
  handlers: Record<string, Handler | Handler[]>,
  early: Record<string, Handler> = {},
): Promise<FakeImportsApi> {
  const received: Received[] = [];
  const turns = new Map<string, number>();
  const server = createServer(async (req, res) => {
    const url = new URL(req.url ?? '/', 'http://fake');
    const route = `${req.method} ${url.pathname}`;
    const facts = { method: req.method ?? '', url, headers: req.headers, body: '' };
    if (early[route]) return early[route](req, res, facts);
    // A client that goes away in the middle is part of some tests.
    const body = await text(req).catch(() => undefined);
    if (body === undefined) return;
    const request = { ...facts, body };
    received.push(request);
    const found = handlers[route];
    const turn = turns.get(route) ?? 0;
    turns.set(route, turn + 1);
    const handler = Array.isArray(found) ? found[Math.min(turn, found.length - 1)] : found;
    if (handler) return handler(req, res, request);
    answer(res, 404, { message: `The test has no ${route}.`, code: 'route_not_found' });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
