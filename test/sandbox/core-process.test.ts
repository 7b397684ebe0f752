import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

let sandbox: ChildProcess | undefined;
afterEach(() => {
  sandbox?.kill('SIGKILL');
});

/** Starts the sandbox as its own process and gives the origin it prints. */
async function start(env: Record<string, string>): Promise<{ child: ChildProcess; origin: string }> {
  const child = spawn(process.execPath, ['sandbox/main.ts'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  sandbox = child;
  const [chunk]: unknown[] = await once(child.stdout, 'data');
  const origin = /http:\/\/\S+/.exec(String(chunk))?.[0] ?? '';
  return { child, origin };
}

describe('the sandbox process', () => {
  it('serves the three CRMs and ends cleanly on SIGTERM, even with a hanging call', async () => {
    const { child, origin } = await start({ SANDBOX_PORT: '0', HOST: '127.0.0.1' });
    const health = await fetch(`${origin}/_control/health`);
    expect(await health.json()).toEqual({ status: 'ok', providers: ['salesforce', 'close', 'capsule'] });
    await fetch(`${origin}/_control/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ provider: 'salesforce', kind: 'hang_before_commit' }),
    });
    const hanging = fetch(`${origin}/salesforce/services/data/`).catch(() => 'dropped');
    await expect
      .poll(async () => (await fetch(`${origin}/_control/calls?summary=true`)).json())
      .toMatchObject({ in_flight: 1 });
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(await hanging).toBe('dropped');
  }, 20_000);

  it('refuses a bad port with one line', async () => {
    const child = spawn(process.execPath, ['sandbox/main.ts'], {
      env: { ...process.env, SANDBOX_PORT: 'abc' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    sandbox = child;
    const [chunk]: unknown[] = await once(child.stderr, 'data');
    expect(String(chunk)).toBe('SANDBOX_PORT must be a port number (0 to 65535)\n');
  }, 20_000);
});
