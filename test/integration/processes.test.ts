import { expect, it } from 'vitest';
import { startSandboxProcess } from '../support/processes.ts';
import { until } from '../support/until.ts';

async function isReachable(origin: string): Promise<boolean> {
  return fetch(origin).then(
    () => true,
    () => false,
  );
}

it('starts a real sandbox process, reads what it writes and stops it in order', async () => {
  await using sandbox = await startSandboxProcess();
  await until('it said where it listens', () => sandbox.logs().includes(sandbox.origin));
  expect(await sandbox.stop()).toEqual({ code: 0, signal: null });
  expect(await isReachable(sandbox.origin)).toBe(false);
});

it('kills a process without giving it time', async () => {
  await using sandbox = await startSandboxProcess();
  await sandbox.kill();
  expect(await isReachable(sandbox.origin)).toBe(false);
});
