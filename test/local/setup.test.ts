import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

const SETUP = fileURLToPath(new URL('../../local/setup.sh', import.meta.url));
const TOOLS = ['sh', 'cat', 'cksum', 'find', 'dirname', 'rm', 'chmod', 'mkdir', 'cp'];

/** A fresh clone on a machine that has nothing but the tools above; every other program is a stand-in. */
describe('setup.sh', () => {
  let root: string;
  let calls: () => Promise<string[]>;

  beforeEach(async () => {
    const made = await mkdtemp(join(tmpdir(), 'dealwright-setup-'));
    root = made;
    onTestFinished(() => rm(made, { recursive: true, force: true }));
    await mkdir(join(root, 'local'));
    await mkdir(join(root, 'bin'));
    await copyFile(SETUP, join(root, 'local/setup.sh'));
    await writeFile(join(root, 'package-lock.json'), '{}');
    const log = join(root, 'calls.log');
    await writeFile(log, '');
    calls = async () => (await readFile(log, 'utf8')).split('\n').filter(Boolean);
    for (const tool of TOOLS) await symlink(await whereIs(tool), join(root, 'bin', tool));
    await program('npm', `${record('npm')}\n${bringNode('v24.21.0')}`);
    await program('uname', 'echo Linux');
    await program('id', 'echo 1000');
  });

  const record = (name: string) => `echo "${name} $*" >>'${root}/calls.log'`;
  const bringNode = (version: string) =>
    `mkdir -p node_modules/.bin; printf '#!/bin/sh\\necho ${version}\\n' >node_modules/.bin/node; chmod +x node_modules/.bin/node`;
  async function program(name: string, script: string): Promise<void> {
    await writeFile(join(root, 'bin', name), `#!/bin/sh\n${script}\n`);
    await chmod(join(root, 'bin', name), 0o755);
  }
  function setup(args: string[] = [], env: Record<string, string> = {}) {
    return new Promise<{ code: number; output: string }>((resolve) => {
      const options = { cwd: '/', env: { PATH: `${root}/node_modules/.bin:${root}/bin`, ...env } };
      execFile(join(root, 'bin/sh'), [join(root, 'local/setup.sh'), ...args], options, (err, out, errors) =>
        resolve({ code: typeof err?.code === 'number' ? err.code : 0, output: out + errors }),
      );
    });
  }
  const withRedis = { REDIS_URL: 'redis://somewhere' };

  it('installs what the lockfile says, saying so first, and only once', async () => {
    const first = await setup([], withRedis);
    expect(first).toEqual({ code: 0, output: expect.stringMatching(/^setup: installing the dependencies/) });
    expect(await setup([], withRedis)).toEqual({ code: 0, output: '' });
    expect(await calls()).toEqual(['npm ci --no-audit --no-fund --loglevel=error']);
  });

  it('installs again when the lockfile has changed', async () => {
    await setup([], withRedis);
    await writeFile(join(root, 'package-lock.json'), '{"changed":true}');
    await setup([], withRedis);
    expect(await calls()).toHaveLength(2);
  });

  it('does not run npm on the Node that npm is about to replace', async () => {
    await program('npm', `echo "path $PATH" >>'${root}/calls.log'\n${bringNode('v24.21.0')}`);
    await setup([], withRedis);
    expect(await calls()).toEqual([`path ${root}/bin`]);
  });

  it('stops with a reason when npm brought no Node 24', async () => {
    await program('npm', bringNode('v20.1.0'));
    expect(await setup([], withRedis)).toEqual({ code: 1, output: expect.stringMatching(/is not Node 24/) });
  });

  it('says how to get a Redis where it may not install one', async () => {
    await program('apt-get', record('apt-get'));
    const { code, output } = await setup();
    expect(code).toBe(1);
    expect(output).toMatch(/no Redis server found: install one .*brew install redis.*REDIS_URL/);
    expect(await calls()).not.toContainEqual(expect.stringMatching(/^apt-get/));
  });

  it('installs redis-server as root with apt-get, saying so first', async () => {
    await program('id', 'echo 0');
    await program(
      'apt-get',
      `${record('apt-get')}\n[ "$1" = install ] && : >'${root}/bin/redis-server' && chmod +x '${root}/bin/redis-server'\nexit 0`,
    );
    const { code, output } = await setup();
    expect(output).toMatch(/installing redis-server with apt-get, because this runs as root/);
    expect(code).toBe(0);
    expect((await calls()).slice(1)).toEqual([
      'apt-get update',
      'apt-get install -y --no-install-recommends redis-server',
    ]);
  });

  it('passes on what apt-get said when it failed', async () => {
    await program('id', 'echo 0');
    await program('apt-get', 'echo "E: no network"\nexit 100');
    const { code, output } = await setup();
    expect(code).toBe(1);
    expect(output).toMatch(/E: no network\nsetup: apt-get could not install redis-server/);
  });

  it('takes valkey-server as well', async () => {
    await program('valkey-server', 'exit 0');
    expect((await setup()).code).toBe(0);
  });

  it('takes a Docker engine for the tests only', async () => {
    await program('docker', 'exit 0');
    expect((await setup(['--docker-will-do'])).code).toBe(0);
    expect((await setup()).code).toBe(1);
  });
});

function whereIs(tool: string): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile('sh', ['-c', `command -v ${tool}`], (err, out) => (err ? reject(err) : resolve(out.trim()))),
  );
}
