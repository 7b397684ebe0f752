import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { luaOf } from '../../shared/redis/scripts.ts';
import { createCommandReader } from './resp-commands.ts';

/** Which command to stop at. All that is given must fit. */
export type Stop = {
  /** One of our scripts, by its file without `.lua`. */
  script?: string;
  /** Redis command, in capitals. */
  command?: string;
  /** All arguments, joined by blanks, must contain each of these. */
  having?: readonly string[];
  /** `before`: Redis never sees it. `after`: Redis has done it, and the process never hears. */
  when: 'before' | 'after';
  /** Which occurrence; default the first. */
  nth?: number;
};

export type Held = {
  /** Resolves when the command was reached, and, for `after`, when Redis has done it. */
  reached: Promise<void>;
  /** Lets everything through that was held, and everything after it. */
  release(): void;
  /** Breaks the connection: what was held is lost. */
  drop(): void;
};

export type RedisProxy = {
  /** For the process under test. */
  url: string;
  /** Arms one stop; the connection it happens on stands still from then on. */
  hold(stop: Stop): Held;
  [Symbol.asyncDispose](): Promise<void>;
};

type Armed = { stop: Stop; left: number; reach: (lane: Lane) => void };
type Lane = {
  client: Socket;
  server: Socket;
  held: boolean;
  toServer: Buffer[];
  toClient: Buffer[];
  echo?: { nonce: Buffer; seen: () => void };
};

/**
 * Stands between a process and Redis and stops the traffic at a chosen command, so that the process can be killed at
 * exactly that point. Nothing in the process knows of it.
 */
export async function startRedisProxy(redisUrl: string): Promise<RedisProxy> {
  await loadScripts(redisUrl);
  const target = new URL(redisUrl);
  const lanes = new Set<Lane>();
  const armed: Armed[] = [];

  const server = createServer((client) => {
    const upstream = connect(Number(target.port || 6379), target.hostname);
    const lane: Lane = { client, server: upstream, held: false, toServer: [], toClient: [] };
    lanes.add(lane);
    const read = createCommandReader();
    client.on('data', (chunk: Buffer) => {
      for (const command of read(chunk)) pass(lane, command.raw, command.args);
    });
    upstream.on('data', (chunk: Buffer) => answer(lane, chunk));
    const end = () => {
      lanes.delete(lane);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  });

  function pass(lane: Lane, raw: Buffer, args: string[]): void {
    if (lane.held) {
      lane.toServer.push(raw);
      return;
    }
    const hit = armed.find((one) => fits(one.stop, args) && --one.left === 0);
    if (!hit) {
      lane.server.write(raw);
      return;
    }
    armed.splice(armed.indexOf(hit), 1);
    lane.held = true;
    if (hit.stop.when === 'before') {
      lane.toServer.push(raw);
      hit.reach(lane);
      return;
    }
    // Redis answers a connection in order: once this comes back, the command before it is done.
    const nonce = Buffer.from(randomBytes(12).toString('hex'));
    lane.echo = { nonce, seen: () => hit.reach(lane) };
    lane.server.write(raw);
    lane.server.write(`*2\r\n$4\r\nECHO\r\n$${nonce.length}\r\n${nonce}\r\n`);
  }

  function answer(lane: Lane, chunk: Buffer): void {
    if (!lane.held) {
      lane.client.write(chunk);
      return;
    }
    lane.toClient.push(chunk);
    if (!lane.echo) return;
    const all = Buffer.concat(lane.toClient);
    const reply = Buffer.from(`$${lane.echo.nonce.length}\r\n${lane.echo.nonce}\r\n`);
    const at = all.indexOf(reply);
    if (at < 0) return;
    lane.toClient = [all.subarray(0, at), all.subarray(at + reply.length)];
    lane.echo.seen();
    lane.echo = undefined;
  }

  const port = await listen(server);
  const own = new URL(redisUrl);
  own.hostname = '127.0.0.1';
  own.port = String(port);
  return {
    url: own.href,
    hold(stop) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let lane: Lane | undefined;
      const reach = (reachedOn: Lane) => {
        lane = reachedOn;
        resolve();
      };
      armed.push({ stop, left: stop.nth ?? 1, reach });
      return {
        reached: promise,
        release() {
          if (!lane?.held) return;
          lane.held = false;
          for (const chunk of lane.toClient.splice(0)) lane.client.write(chunk);
          for (const chunk of lane.toServer.splice(0)) lane.server.write(chunk);
        },
        drop: () => lane?.client.destroy(),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const lane of lanes) {
        lane.client.destroy();
        lane.server.destroy();
      }
      await new Promise((done) => server.close(done));
    },
  };
}

function fits({ script, command, having }: Stop, args: string[]): boolean {
  const [name = ''] = args;
  if (command !== undefined && name.toUpperCase() !== command) return false;
  if (script !== undefined && !isScript(script, args)) return false;
  if (having === undefined) return true;
  const all = args.join(' ');
  return having.every((text) => all.includes(text));
}

/**
 * A process names a script by its digest and sends its text when Redis does not know it. A stop would come at the first of the two, which
 * does nothing: so Redis is to know all of them.
 */
async function loadScripts(redisUrl: string): Promise<void> {
  const redis = new Redis(redisUrl);
  try {
    const files = await readdir(new URL('../../shared/redis/scripts/', import.meta.url));
    await Promise.all(files.map((file) => redis.script('LOAD', luaOf(file))));
  } finally {
    redis.disconnect();
  }
}

/** By its digest, or with its text when Redis has forgotten it since. */
function isScript(script: string, [name = '', body = '']: string[]): boolean {
  const source = Buffer.from(luaOf(`${script}.lua`));
  if (name.toUpperCase() === 'EVALSHA') return body === digestOf(source);
  return name.toUpperCase() === 'EVAL' && digestOf(Buffer.from(body, 'latin1')) === digestOf(source);
}

const digestOf = (text: Buffer) => createHash('sha1').update(text).digest('hex');

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}
