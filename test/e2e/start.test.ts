import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { findRedisProgram } from '../../local/embedded-redis.ts';
import { type GuardedChild, startGuarded } from '../../local/guarded-child.ts';
import { connectRedis, waitUntilReady } from '../../shared/redis/connect.ts';
import { silentLogger } from '../support/redis.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const missing = findRedisProgram(process.env.PATH ?? '') ? '' : ' (no redis-server on PATH: not run)';
if (missing) console.log(`npm start${missing}`);

type System = { child: GuardedChild; output: () => string; api: string; sandbox: string; token: string };

describe.skipIf(missing !== '')(`npm start${missing}`, { timeout: 90_000 }, () => {
  let dataDir: string;
  beforeEach(async () => {
    const made = await mkdtemp(join(tmpdir(), 'dealwright-start-'));
    dataDir = made;
    onTestFinished(() => rm(made, { recursive: true, force: true }));
  });

  function launch(env: Record<string, string> = {}): { child: GuardedChild; output: () => string } {
    const child = startGuarded({
      command: process.execPath,
      args: ['local/start.ts'],
      cwd: ROOT,
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', SANDBOX_PORT: '0', ...env },
      output: 'pipe',
    });
    onTestFinished(async () => {
      await child.stop(20_000);
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.process.stdout?.on('data', collect);
    child.process.stderr?.on('data', collect);
    return { child, output: () => output };
  }

  async function start(): Promise<System> {
    const { child, output } = launch();
    await until(
      'the welcome is complete',
      () => {
        if (child.hasExited()) return 'ended';
        return output().includes('Ctrl-C stops everything.') && 'running';
      },
      { withinMs: 60_000 },
    );
    const find = (pattern: RegExp) => {
      const found = pattern.exec(output())?.[1];
      if (!found) throw new Error(`No ${pattern} in:\n${output()}`);
      return found;
    };
    return {
      child,
      output,
      api: find(/^ {2}API +(\S+)$/m),
      sandbox: find(/^ {2}Sandbox +(\S+)/m),
      token: find(/^ {2}Admin token +(\S+)$/m),
    };
  }

  const redisUrl = async () =>
    (await readFile(join(dataDir, 'redis/redis.conf'), 'utf8')).split('\n')[0]?.replace('# url: ', '') ?? '';
  const isAnswering = (origin: string) =>
    fetch(origin.replace('redis:', 'http:').replace(/\/\/.*@/, '//')).then(
      () => true,
      // An answer that is not HTTP is an answer, too; a refused connection is none.
      (err) => err.cause?.code !== 'ECONNREFUSED',
    );
  async function expectNothingLeft({ api, sandbox }: System): Promise<void> {
    const origins = [api, sandbox, await redisUrl()];
    await until('API, sandbox and Redis are gone', async () => {
      const answers = await Promise.all(origins.map(isAnswering));
      return answers.every((answering) => !answering);
    });
  }

  it('prints curls that write to all three demo accounts, and stops in reverse order', async () => {
    const system = await start();
    const curls = system
      .output()
      .split('\n')
      .filter((line) => line.startsWith('curl '));
    expect(curls).toHaveLength(3);
    for (const curl of curls) {
      const { stdout } = await run('sh', ['-c', curl]);
      expect(JSON.parse(stdout)).toMatchObject({ id: expect.any(String) });
    }
    const { code } = await system.child.stop(60_000);
    expect(code).toBe(0);
    expect(system.output().match(/\w+(?= stopped)/g)).toEqual(['worker', 'api', 'sandbox', 'redis']);
    await expectNothingLeft(system);
  });

  it('stops in order on a Ctrl-C, which arrives once from the terminal and once through npm', async () => {
    const system = await start();
    process.kill(-system.child.pid, 'SIGINT');
    expect((await system.child.exited).code).toBe(0);
    expect(system.output().match(/\w+(?= stopped)/g)).toEqual(['worker', 'api', 'sandbox', 'redis']);
    await expectNothingLeft(system);
  });

  it('keeps accepted jobs, accounts and its token over a restart', async () => {
    const first = await start();
    const headers = { authorization: `Bearer ${first.token}`, 'content-type': 'application/json' };
    const accepted = await fetch(
      `${first.api}/unified/crm/opportunities?integrated_account_id=62f44730-dd91-461e-bd6a-aedd9e0ad79d`,
      { method: 'POST', headers, body: JSON.stringify({ name: 'Kept' }) },
    );
    expect(accepted.status).toBe(202);
    await accepted.arrayBuffer();
    await first.child.stop(60_000);
    const second = await start();
    expect(second.token).toBe(first.token);
    const job = await fetch(`${second.api}${accepted.headers.get('location')}?wait=10`, { headers });
    expect(await job.json()).toMatchObject({ status: 'succeeded' });
  });

  it('keeps its secrets to the user', async () => {
    await start();
    for (const file of ['secrets.json', 'redis/redis.conf', 'logs/api.log']) {
      expect([file, (await stat(join(dataDir, file))).mode & 0o077]).toEqual([file, 0]);
    }
  });

  it('leaves nothing behind when it is killed', async () => {
    const system = await start();
    await system.child.kill();
    await expectNothingLeft(system);
  });

  it('stops everything and says which part ended when one does', async () => {
    const system = await start();
    const url = await redisUrl();
    const client = connectRedis(url, 'worker', silentLogger);
    onTestFinished(() => client.disconnect());
    await waitUntilReady(client, url, 5_000);
    process.kill(Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]), 'SIGKILL');
    expect((await system.child.exited).code).toBe(1);
    expect(system.output()).toMatch(/Dealwright cannot run: redis ended unexpectedly/);
    await expectNothingLeft(system);
  });

  it.each(['PORT', 'SANDBOX_PORT'])(
    'names %s when that port is taken, and starts nothing',
    async (variable) => {
      const other = createServer();
      onTestFinished(() => new Promise((done) => other.close(() => done())));
      await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
      const address = other.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      const { child, output } = launch({ [variable]: String(port) });
      expect((await child.exited).code).toBe(1);
      expect(output()).toMatch(
        new RegExp(
          `Port ${port} on 127.0.0.1 is taken: choose another one with ${variable}, as ${variable}=`,
        ),
      );
      await expect(stat(join(dataDir, 'redis'))).rejects.toThrow(/ENOENT/);
    },
  );

  it('names every bad variable at once', async () => {
    const { child, output } = launch({ PORT: 'x', LOG_LEVEL: 'loud' });
    expect((await child.exited).code).toBe(1);
    expect(output()).toMatch(/PORT [\s\S]*LOG_LEVEL /);
    expect(output()).not.toMatch(/at .*\.ts/);
  });
});
