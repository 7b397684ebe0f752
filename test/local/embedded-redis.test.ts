import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedRedis, findRedisProgram, startEmbeddedRedis } from '../../local/embedded-redis.ts';
import { connectRedis, type RedisClient, waitUntilReady } from '../../shared/redis/connect.ts';
import { silentLogger } from '../support/redis.ts';
import { until } from '../support/until.ts';

const searchPath = process.env.PATH ?? '';
// On a machine where the tests run in a container there is no server program to embed.
const missing = findRedisProgram(searchPath) ? '' : ' (no redis-server on PATH: not run)';
if (missing) console.log(`embedded Redis${missing}`);

describe.skipIf(missing !== '')(`the embedded Redis${missing}`, () => {
  let dir: string;
  beforeEach(async () => {
    const made = await mkdtemp(join(tmpdir(), 'dealwright-embedded-'));
    dir = made;
    onTestFinished(() => rm(made, { recursive: true, force: true }));
  });

  async function start(): Promise<EmbeddedRedis> {
    const redis = await startEmbeddedRedis(dir, searchPath);
    onTestFinished(() => redis.close());
    return redis;
  }
  async function connectTo(url: string): Promise<RedisClient> {
    const client = connectRedis(url, 'worker', silentLogger);
    onTestFinished(() => client.disconnect());
    await waitUntilReady(client, url, 5_000);
    return client;
  }

  it('keeps what it acknowledged over a kill -9', async () => {
    const first = await start();
    const before = await connectTo(first.url);
    await before.set('written', 'yes');
    before.disconnect();
    await first.child.kill();
    const second = await start();
    expect(await (await connectTo(second.url)).get('written')).toBe('yes');
  });

  it('is closed to whoever does not know the password of this run', async () => {
    const { port } = await start();
    const stranger = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void stranger.destroy());
    stranger.write('GET x\r\n');
    const [answer] = await once(stranger, 'data');
    expect(String(answer)).toMatch(/^-NOAUTH /);
    expect((await stat(join(dir, 'redis.conf'))).mode & 0o077).toBe(0);
  });

  it('refuses a directory another one works in, naming the process and the variable', async () => {
    const { child } = await start();
    await expect(startEmbeddedRedis(dir, searchPath)).rejects.toThrow(
      /A Redis \(process \d+\) already works in .*DATA_DIR/,
    );
    expect(child.hasExited()).toBe(false);
  });

  it('says in one sentence when there is no server program', async () => {
    await expect(startEmbeddedRedis(dir, '/nowhere')).rejects.toThrow(
      /^No redis-server or valkey-server on PATH: .*REDIS_URL\.$/,
    );
  });

  it('ends when its owner is killed', async () => {
    const script = `
      import { startEmbeddedRedis } from './local/embedded-redis.ts';
      const redis = await startEmbeddedRedis(${JSON.stringify(dir)}, process.env.PATH);
      console.log('up');
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    const url =
      (await readFile(join(dir, 'redis.conf'), 'utf8')).split('\n')[0]?.replace('# url: ', '') ?? '';
    const pid = Number(/process_id:(\d+)/.exec(await (await connectTo(url)).info('server'))?.[1]);
    owner.kill('SIGKILL');
    await until('the server is gone', () => !isAlive(pid));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
