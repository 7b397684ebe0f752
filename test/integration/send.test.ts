import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../support/until.ts';
import { aSender, BODY, ok, onRequest, startRaw } from './send-support.ts';

/** Nobody listens there: the port was free a moment ago. */
async function aDeadPort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 1;
}

describe('a call that cannot reach the provider was provably not sent', () => {
  it('when the connection is refused', async () => {
    const { post } = aSender();
    const result = await post(`http://127.0.0.1:${await aDeadPort()}/x`);
    expect(result).toMatchObject({ kind: 'not_sent', code: 'provider_unreachable' });
  });

  it('when the name does not resolve', async () => {
    const { post } = aSender();
    expect(await post('http://no-such-host.invalid/x')).toMatchObject({
      kind: 'not_sent',
      code: 'provider_unreachable',
    });
  });

  it('when TLS fails, and the other side saw no request', async () => {
    let seen = '';
    // Without a certificate the handshake fails on both sides.
    const server = createTlsServer({}, (socket) => socket.on('data', (chunk) => (seen += chunk)));
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { post } = aSender();
    expect(await post(`https://127.0.0.1:${port}/x`)).toMatchObject({ kind: 'not_sent' });
    expect(seen).toBe('');
  });

  it('when a server that speaks no TLS is asked for it', async () => {
    const server = await startRaw((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')),
    );
    const { post } = aSender();
    expect(await post(`https://127.0.0.1:${server.port}/x`)).toMatchObject({ kind: 'not_sent' });
    expect(server.received()).not.toContain('POST');
  });

  it('when the time is up before TLS is established', async () => {
    const server = await startRaw(() => {});
    const { post } = aSender();
    const result = await post(`https://127.0.0.1:${server.port}/x`, { timeoutMs: 150 });
    expect(result).toMatchObject({ kind: 'not_sent', code: 'provider_unreachable' });
    expect(server.received()).not.toContain('POST');
  });

  it('when the URL is not allowed, and nobody was asked for an address', async () => {
    const server = await startRaw(() => {});
    const { post } = aSender(() => false);
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'not_sent', code: 'url_not_allowed' });
    expect(server.sockets).toHaveLength(0);
  });

  it('when the URL is none at all', async () => {
    const { post } = aSender(() => false);
    expect(await post('nonsense')).toMatchObject({ kind: 'not_sent', code: 'url_not_allowed' });
  });
});

describe('a call that was cut off after bytes left is unknown', () => {
  it('when the connection is reset at once after being accepted, it is never called an answer', async () => {
    const server = await startRaw((socket) => socket.resetAndDestroy());
    const { post } = aSender();
    const result = await post(`${server.origin}/x`);
    expect(result.kind).not.toBe('answered');
    // What is claimed must hold: a call that is said not to have been sent left no byte of its body.
    if (result.kind === 'not_sent') expect(server.bodyBytes()).toBe(0);
  });

  it('when it is reset after the headers of the request', async () => {
    const server = await startRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'unanswered' });
  });

  it('when it is reset after the whole body', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => socket.resetAndDestroy()),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({
      kind: 'unanswered',
      code: 'provider_no_answer',
    });
    expect(server.bodyBytes()).toBe(BODY.length);
  });

  it('when it is closed in order instead of answered', async () => {
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => socket.end()));
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'unanswered' });
  });

  it('when no answer comes in time, and the connection is given up', async () => {
    const server = await startRaw(() => {});
    const { post } = aSender();
    const began = Date.now();
    const result = await post(`${server.origin}/x`, { timeoutMs: 250 });
    expect(result).toMatchObject({ kind: 'unanswered', code: 'provider_no_answer' });
    expect(Date.now() - began).toBeGreaterThanOrEqual(245);
    await until('the connection is closed', () => server.sockets[0]?.destroyed, { withinMs: 3_000 });
  });

  it('when the answer drips and is not complete in time', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{');
        const drip = setInterval(() => socket.write(' '), 20);
        socket.once('close', () => clearInterval(drip));
      }),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`, { timeoutMs: 300 })).toMatchObject({ kind: 'unanswered' });
  });

  it.each([
    ['by length', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id":"006'],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{"id":"006'],
    ['in its headers', 'HTTP/1.1 200 OK\r\ncontent-ty'],
  ])('when the answer is cut in the middle, framed %s', async (_, answer) => {
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => socket.end(answer)));
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'unanswered' });
  });

  it('when what comes is no HTTP', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => socket.end('SSH-2.0-OpenSSH\r\n')),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'unanswered' });
  });

  it('when the answer is larger than any legitimate one', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${32 * 1024 * 1024}\r\n\r\n`);
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        const pump = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', pump);
        pump();
      }),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({
      kind: 'unanswered',
      code: 'provider_bad_answer',
    });
    await until('the connection is closed', () => server.sockets[0]?.destroyed, { withinMs: 3_000 });
  });

  it('of a refusal that has no end, what came first is the answer', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => {
        socket.write(`HTTP/1.1 400 Bad Request\r\ncontent-length: ${32 * 1024 * 1024}\r\n\r\n{"error":"`);
        const chunk = Buffer.alloc(64 * 1024, 'x');
        const pump = () => {
          while (!socket.destroyed && socket.write(chunk));
        };
        socket.on('drain', pump);
        pump();
      }),
    );
    const { post } = aSender();
    const answer = await post(`${server.origin}/x`);
    expect(answer).toMatchObject({
      kind: 'answered',
      status: 400,
      body: expect.stringMatching(/^\{"error":"xxx/),
    });
    expect(JSON.stringify(answer).length).toBeLessThan(1_000_000);
    await until('the connection is closed', () => server.sockets[0]?.destroyed, { withinMs: 3_000 });
  });

  it('when an idle connection turns out to be dead, and it is not tried a second time by itself', async () => {
    let requests = 0;
    const server = await startRaw((socket, text) => {
      socket.on('data', () => {
        if (!text().endsWith(BODY)) return;
        requests++;
        // The second request meets a socket the server gives up without a word.
        if (requests === 1) socket.write(ok('{}'));
        else socket.resetAndDestroy();
      });
    });
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'answered' });
    expect(await post(`${server.origin}/x`)).toMatchObject({ kind: 'unanswered' });
    expect(requests).toBe(2);
  });
});

describe('an answer', () => {
  it('is not followed when it redirects', async () => {
    const target = await startRaw((socket) => socket.end(ok('{}')));
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () =>
        socket.end(`HTTP/1.1 307 Temporary\r\nlocation: ${target.origin}/\r\ncontent-length: 0\r\n\r\n`),
      ),
    );
    const { post } = aSender();
    const result = await post(`${server.origin}/x`);
    expect(result).toMatchObject({ kind: 'answered', status: 307, body: undefined });
    expect(target.sockets).toHaveLength(0);
  });

  it('is the final one after 103 Early Hints', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () =>
        socket.end(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok('{"id":"1"}', 'x-mark: yes\r\n')}`),
      ),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({
      kind: 'answered',
      status: 200,
      headers: { 'x-mark': 'yes' },
      body: { id: '1' },
    });
  });

  it('shows repeated headers joined, and names in lower case', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => socket.end(ok('[]', 'X-Part: a\r\nX-Part: b\r\n'))),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ headers: { 'x-part': 'a, b' }, body: [] });
  });

  it.each([
    ['{"a":', '{"a":'],
    ['<html>', '<html>'],
    ['', undefined],
    ['"word"', 'word'],
    [' {"a":1}', { a: 1 }],
  ])('with the body %j reads as %j', async (body, expected) => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => socket.end(ok(body))),
    );
    const { post } = aSender();
    const result = await post(`${server.origin}/x`);
    expect(result).toMatchObject({ kind: 'answered', status: 200 });
    expect(result.kind === 'answered' ? result.body : 'none').toEqual(expected);
  });

  it('keeps characters whole that arrive in two packets', async () => {
    const body = Buffer.from(JSON.stringify({ name: 'Zürich €' }));
    const at = body.indexOf(0xe2) + 1;
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
        socket.write(body.subarray(0, at), () => setImmediate(() => socket.end(body.subarray(at))));
      }),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`)).toMatchObject({ body: { name: 'Zürich €' } });
  });
});
