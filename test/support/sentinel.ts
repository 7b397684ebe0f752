import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedisProgram } from '../../local/embedded-redis.ts';
import { startGuarded } from '../../local/guarded-child.ts';
import { findFreePort } from '../../local/ports.ts';
import { type OwnRedis, startOwnRedis } from './own-redis.ts';
import { until } from './until.ts';

/** A primary, its replica, and a Sentinel that puts the replica in its place. */
export type Replicated = {
  /** For our processes. */
  url: string;
  primary: OwnRedis;
  replica: OwnRedis;
  /** Resolves when Sentinel names the replica. */
  failedOver(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

const NAME = 'main';
const NOTICED_MS = 1_000;

export async function startReplicated(): Promise<Replicated> {
  await using opened = new AsyncDisposableStack();
  const primary = opened.use(await startOwnRedis());
  const replica = opened.use(await startOwnRedis(['--replicaof', '127.0.0.1', String(primary.port)]));
  const directory = await mkdtemp(join(tmpdir(), 'dealwright-sentinel-'));
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const port = await findFreePort();
  const config = join(directory, 'sentinel.conf');
  const monitored = [
    `monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
    `down-after-milliseconds ${NAME} ${NOTICED_MS}`,
    `failover-timeout ${NAME} 5000`,
  ];
  const lines = [`port ${port}`, 'bind 127.0.0.1', `dir ${directory}`];
  await writeFile(config, [...lines, ...monitored.map((line) => `sentinel ${line}`), ''].join('\n'));
  const child = startGuarded({
    command: findRedisProgram(process.env.PATH ?? '') ?? 'redis-server',
    args: [config, '--sentinel'],
    env: { PATH: process.env.PATH },
    output: 'pipe',
  });
  opened.defer(async () => void (await child.kill()));
  child.process.stdout?.resume();
  child.process.stderr?.resume();
  const sentinel = new Redis(port, '127.0.0.1', { retryStrategy: () => 100 });
  opened.defer(() => sentinel.disconnect());
  sentinel.on('error', () => {});
  await until(
    'Sentinel knows the replica',
    async () => {
      const replicas = await sentinel.call('SENTINEL', 'REPLICAS', NAME);
      return Array.isArray(replicas) && replicas.length > 0;
    },
    { withinMs: 30_000 },
  );
  const owned = opened.move();
  return {
    url: `redis+sentinel://127.0.0.1:${port}/${NAME}`,
    primary,
    replica,
    failedOver: async () => {
      await until(
        'the replica is the primary',
        async () => {
          const address = await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
          return Array.isArray(address) && Number(address[1]) === replica.port;
        },
        { withinMs: 30_000, everyMs: 50 },
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
