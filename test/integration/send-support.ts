import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { createSender, type SendRequest } from '../../shared/providers/send.ts';

/** A server of our own making: what it does with a socket is the test. Counts what it was sent. */
export type RawServer = {
  origin: string;
  port: number;
  sockets: Socket[];
  /** Everything received over all sockets, in order of arrival. */
  received(): string;
  /** Bytes of bodies received: everything after the blank line of each socket's first request. */
  bodyBytes(): number;
};

export async function startRaw(
  onSocket: (socket: Socket, text: () => string) => void,
  options: { pauseOnConnect?: boolean } = {},
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const texts: string[] = [];
  const server: Server = createServer({ ...options }, (socket) => {
    const index = sockets.push(socket) - 1;
    texts[index] = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      texts[index] += chunk.toString('latin1');
    });
    onSocket(socket, () => texts[index] ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    sockets,
    received: () => texts.join(''),
    bodyBytes: () =>
      texts.reduce((sum, text) => {
        const at = text.indexOf('\r\n\r\n');
        return sum + (at < 0 ? 0 : text.length - at - 4);
      }, 0),
  };
}

/** Calls back once a whole request with `body` has arrived. */
export function onRequest(socket: Socket, text: () => string, body: string, then: () => void): void {
  let done = false;
  socket.on('data', () => {
    if (done || !text().endsWith(`\r\n\r\n${body}`)) return;
    done = true;
    then();
  });
}

export const BODY = JSON.stringify({ name: 'Annual License' });

export function aSender(isAllowed: (url: URL) => boolean = () => true) {
  const sender = createSender({ isAllowed, clock: systemClock });
  onTestFinished(() => sender.close());
  const post = (url: string, more: Partial<SendRequest> = {}) =>
    sender.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: BODY,
      timeoutMs: 5_000,
      ...more,
    });
  return { ...sender, post };
}

export const ok = (body: string, headers = '') =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
