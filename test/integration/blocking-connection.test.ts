import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Redis, RedisOptions } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EngineConnection } from '../../shared/redis/blocking-connection.ts';
import { testRedisUrl } from '../support/redis.ts';
import { createCommandReader } from '../support/resp-commands.ts';
import { until } from '../support/until.ts';

type Script = (...args: string[]) => Promise<unknown>;

/** `defineCommand` adds a method of that name, which the type does not know. */
const scriptOf = (connection: Redis, name: string): Script => Reflect.get(connection, name);

/** Two connections as BullMQ makes them for its blocking reads. */
function twoOfEngine() {
  const engine = new EngineConnection(testRedisUrl());
  const both = [engine.duplicate(), engine.duplicate()] as const;
  onTestFinished(() => {
    for (const connection of [engine, ...both]) connection.disconnect();
  });
  return both;
}

it('shares its scripts with the others of the engine', async () => {
  const [one, other] = twoOfEngine();
  const name = `echo:${randomUUID()}`;
  one.defineCommand(name, { numberOfKeys: 1, lua: 'return KEYS[1] .. ARGV[1]' });
  const [first, second] = [scriptOf(one, name), scriptOf(other, name)];
  expect(second).toBe(first);
  expect(await Promise.all([first.call(one, 'a', '1'), second.call(other, 'b', '2')])).toEqual(['a1', 'b2']);
});

it('keeps a script to itself whose name has another text elsewhere', async () => {
  const [one, other] = twoOfEngine();
  const name = `which:${randomUUID()}`;
  one.defineCommand(name, { numberOfKeys: 0, lua: "return 'one'" });
  other.defineCommand(name, { numberOfKeys: 0, lua: "return 'other'" });
  const [first, second] = [scriptOf(one, name), scriptOf(other, name)];
  expect(await Promise.all([first.call(one), second.call(other)])).toEqual(['one', 'other']);
});

type State = { loading: '0' | '1'; role: 'master' | 'slave' };

/** A server whose state is set, and its sentinel in one; notes how it is asked about itself. */
async function aServerThatIs(state: State) {
  const asked: string[] = [];
  const answer = ([command = '', ...args]: string[]): string => {
    switch (command.toLowerCase()) {
      case 'hello':
        return '-NOPROTO unsupported protocol version\r\n';
      case 'ping':
        return '+PONG\r\n';
      case 'sentinel':
        return args[0] === 'sentinels'
          ? '*0\r\n'
          : `*2\r\n$9\r\n127.0.0.1\r\n$${`${port}`.length}\r\n${port}\r\n`;
      case 'info':
        asked.push(args.join(' '));
        return bulk(infoOf(state, args[0]));
      default:
        return '+OK\r\n';
    }
  };
  const server = createServer((socket) => {
    const read = createCommandReader();
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const { args } of read(chunk)) socket.write(answer(args));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { port, asked };
}

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;

/** As Redis, which answers a section with nothing of another. */
function infoOf({ loading, role }: State, section: string | undefined): string {
  const persistence = `loading:${loading}\r\nloading_eta_seconds:0.01\r\n`;
  if (section === 'persistence') return persistence;
  return `redis_version:7.4.0\r\n${persistence}role:${role}\r\n`;
}

/** An engine's connection and two of those BullMQ makes of it. */
function engineOf(options: Omit<RedisOptions, 'replyMapping'>) {
  const engine = new EngineConnection({ disableClientInfo: true, retryStrategy: () => 10, ...options });
  const [one, other] = [engine.duplicate(), engine.duplicate()];
  onTestFinished(() => {
    for (const connection of [engine, one, other]) connection.disconnect();
  });
  for (const connection of [engine, one, other]) connection.on('error', () => {});
  return { engine, one, other };
}

it('waits until Redis has loaded its data, and asks it for nothing else', async () => {
  const state: State = { loading: '1', role: 'master' };
  const { port, asked } = await aServerThatIs(state);
  const { one } = engineOf({ port });
  const pong = one.ping();
  await until('asked more than once', () => asked.filter((section) => section === 'persistence').length > 4);
  expect(one.status).not.toBe('ready');
  state.loading = '0';
  expect(await pong).toBe('PONG');
});

it('knows from the engine, which asks once, what version Redis is', async () => {
  const { port, asked } = await aServerThatIs({ loading: '0', role: 'master' });
  const { engine, one, other } = engineOf({ port });
  await Promise.all([engine, one, other].map((connection) => connection.ping()));
  asked.length = 0;
  const texts = await Promise.all([one.info(), other.info(), engine.info(), one.info()]);
  for (const text of texts) expect(text).toContain('redis_version:7.4.0');
  expect(asked).toEqual(['']);
  // What it connects to next may be another one: a ready check of its own, and the question again.
  const ready = once(engine, 'ready');
  engine.disconnect(true);
  await ready;
  await one.info();
  expect(asked).toEqual(['', '', '']);
});

it('takes no server of a sentinel that has been made a replica', async () => {
  const state: State = { loading: '0', role: 'slave' };
  const { port, asked } = await aServerThatIs(state);
  const sentinels = [{ host: '127.0.0.1', port }];
  const { one } = engineOf({ sentinels, name: 'main', sentinelRetryStrategy: () => 10 });
  const pong = one.ping();
  await until('asked more than once', () => asked.length > 6);
  expect(one.status).not.toBe('ready');
  state.role = 'master';
  expect(await pong).toBe('PONG');
});

it('keeps nothing of a question that was not answered', async () => {
  const { port } = await aServerThatIs({ loading: '0', role: 'master' });
  const { engine } = engineOf({ port });
  await engine.ping();
  await engine.info();
  const listening = engine.listenerCount('close');
  vi.spyOn(engine, 'sendCommand').mockImplementation((command) => {
    command.reject(new Error('NOPERM'));
    return command.promise;
  });
  engine.emit('close');
  for (let i = 0; i < 20; i++) await expect(engine.info()).rejects.toThrow('NOPERM');
  expect(engine.listenerCount('close')).toBeLessThanOrEqual(listening);
});
