import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const at = (file: string) => JSON.stringify(new URL(`../../shared/${file}`, import.meta.url).href);

/** A process whose start is `body`, of (config, logger, shutdown). */
function run(body: string) {
  const script = `
    import { createLogger } from ${at('logger.ts')};
    import { runProcess } from ${at('run-process.ts')};
    import { StartError } from ${at('start-error.ts')};
    const open = () => ({ config: { shutdownMs: 300 }, logger: createLogger('test', 'silent') });
    await runProcess(open, async (config, logger, shutdown) => { ${body} });
  `;
  const args = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, said })),
  );
  const ready = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  return { child, ended, ready };
}

it('tells in a sentence what a person can mend, and anything else with its stack', async () => {
  expect(await run(`throw new StartError('Mend it.')`).ended).toEqual({ code: 1, said: 'Mend it.\n' });
  const bug = await run(`throw new TypeError('oh')`).ended;
  expect(bug).toMatchObject({ code: 1, said: expect.stringMatching(/TypeError: oh\n +at /) });
});

it('tells it also when what was made cannot be released, and ends then', async () => {
  const body = `shutdown.own('stuck', {}, () => new Promise(() => {})); throw new StartError('Mend it.')`;
  expect(await run(body).ended).toEqual({ code: 1, said: 'Mend it.\n' });
});

it('is ended by a signal as it should be, although that makes its start fail', async () => {
  const body = `
    const { promise, reject } = Promise.withResolvers();
    shutdown.own('connection', {}, () => reject(new Error('closed')));
    setInterval(() => {}, 1_000);
    console.log('starting');
    await promise;
  `;
  const { child, ended, ready } = run(body);
  await ready;
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, said: '' });
});
