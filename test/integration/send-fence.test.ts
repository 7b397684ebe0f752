import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { aSender, BODY, ok, onRequest, startRaw } from './send-support.ts';

describe('the fence', () => {
  it('refuses at the moment of writing: on a busy pool the late call leaves no byte', async () => {
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => {}));
    const { post } = aSender();
    // The pool has 256 connections; all of them are busy with calls that are not answered yet.
    const busy = Array.from({ length: 256 }, () => post(`${server.origin}/busy`, { timeoutMs: 15_000 }));
    await until('all connections are busy', () => server.received().split('POST /busy').length === 257);
    let asked = 0;
    const late = post(`${server.origin}/late`, {
      timeoutMs: 15_000,
      fence: () => {
        asked++;
        return 'the time to send had passed';
      },
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toBe(0);
    for (const socket of server.sockets) socket.write(ok('{}'));
    expect(await late).toMatchObject({ kind: 'not_sent', code: 'fenced' });
    expect(asked).toBe(1);
    expect((await Promise.all(busy)).every(({ kind }) => kind === 'answered')).toBe(true);
    expect(server.received()).not.toContain('/late');
  });

  it('that refuses does not spoil the connection for the next call', async () => {
    const server = await startRaw((socket, text) => {
      socket.on('data', () => {
        if (text().endsWith(BODY)) socket.write(ok('{}'));
      });
    });
    const { post } = aSender();
    expect(await post(`${server.origin}/a`, { fence: () => 'no' })).toMatchObject({ kind: 'not_sent' });
    expect(await post(`${server.origin}/b`)).toMatchObject({ kind: 'answered' });
    expect(server.received()).not.toContain('POST /a');
  });

  it('that has nothing against it lets the call pass', async () => {
    const server = await startRaw((socket, text) =>
      onRequest(socket, text, BODY, () => socket.end(ok('{}'))),
    );
    const { post } = aSender();
    expect(await post(`${server.origin}/x`, { fence: () => undefined })).toMatchObject({ kind: 'answered' });
  });
});

describe('an aborted call', () => {
  it('was not sent when it was aborted before', async () => {
    const server = await startRaw(() => {});
    const { post } = aSender();
    const result = await post(`${server.origin}/x`, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ kind: 'not_sent', code: 'fenced' });
    expect(server.received()).toBe('');
  });

  it('was not sent when it was aborted while it waited for a connection', async () => {
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => {}));
    const { post } = aSender();
    const busy = Array.from({ length: 256 }, () => post(`${server.origin}/busy`, { timeoutMs: 15_000 }));
    await until('all connections are busy', () => server.received().split('POST /busy').length === 257);
    const abort = new AbortController();
    const waiting = post(`${server.origin}/late`, { signal: abort.signal });
    abort.abort();
    expect(await waiting).toMatchObject({ kind: 'not_sent', code: 'fenced' });
    for (const socket of server.sockets) socket.write(ok('{}'));
    await Promise.all(busy);
    // It still stood in the pool's line: when its turn came it must not have been written.
    const next = post(`${server.origin}/next`);
    await until('the next call arrived', () => server.received().includes('POST /next'));
    expect(server.received()).not.toContain('/late');
    for (const socket of server.sockets) socket.write(ok('{}'));
    await next;
  });

  it('was not sent when its time was up while it waited for a connection', async () => {
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => {}));
    const { post } = aSender();
    const busy = Array.from({ length: 256 }, () => post(`${server.origin}/busy`, { timeoutMs: 15_000 }));
    await until('all connections are busy', () => server.received().split('POST /busy').length === 257);
    const result = await post(`${server.origin}/late`, { timeoutMs: 100 });
    expect(result).toMatchObject({ kind: 'not_sent', code: 'provider_unreachable' });
    for (const socket of server.sockets) socket.write(ok('{}'));
    await Promise.all(busy);
    expect(server.received()).not.toContain('/late');
  });

  it('is unknown when it was aborted after its bytes left', async () => {
    const abort = new AbortController();
    const server = await startRaw((socket, text) => onRequest(socket, text, BODY, () => abort.abort()));
    const { post } = aSender();
    expect(await post(`${server.origin}/x`, { signal: abort.signal })).toMatchObject({ kind: 'unanswered' });
    await until('the connection is closed', () => server.sockets[0]?.destroyed, { withinMs: 3_000 });
  });
});
