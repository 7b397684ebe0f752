import { type AddressInfo, createServer, type Socket, connect as tcpConnect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { connectRedis, waitUntilReady } from '../../shared/redis/connect.ts';
import { silentLogger, testRedisUrl, uniquePrefix } from '../support/redis.ts';

/** Redis behind a relay that counts what comes in one piece, and can break every connection. */
async function aRelayedRedis() {
  const target = new URL(testRedisUrl());
  let pieces = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const redis = tcpConnect(Number(target.port || 6379), target.hostname);
    for (const [from, to] of [
      [client, redis],
      [redis, client],
    ] as const) {
      open.add(from);
      from.on('data', (chunk) => {
        if (from === client) pieces++;
        to.write(chunk);
      });
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const relay = new URL(testRedisUrl());
  relay.hostname = '127.0.0.1';
  relay.port = String((server.address() as AddressInfo).port);
  const url = relay.href;
  const redis = connectRedis(url, 'worker', silentLogger);
  onTestFinished(() => {
    redis.disconnect();
    server.close();
    for (const socket of open) socket.destroy();
  });
  await waitUntilReady(redis, url, 10_000);
  return {
    redis,
    key: uniquePrefix(),
    pieces: () => pieces,
    breakAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

it('sends what is said in one turn in one piece, in its order', async () => {
  const { redis, key, pieces } = await aRelayedRedis();
  await redis.ping();
  const before = pieces();
  const answers = await Promise.all(Array.from({ length: 50 }, () => redis.incr(key)));
  expect(answers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(pieces() - before).toBe(1);
});

it('loses nothing that was said while its connection broke', async () => {
  const { redis, key, breakAll } = await aRelayedRedis();
  const said: Promise<unknown>[] = [];
  for (let turn = 0; turn < 300; turn++) {
    said.push(redis.sadd(key, `a${turn}`));
    if (turn % 60 === 30) breakAll();
    said.push(redis.sadd(key, `b${turn}`));
    await nextTurn();
  }
  await Promise.all(said);
  expect(await redis.scard(key)).toBe(600);
});
