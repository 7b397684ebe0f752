import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findFreePort } from '../../local/ports.ts';
import { signWebhook } from '../../worker/deliver-webhook/sign.ts';
import { until } from '../support/until.ts';

it('the receiver in the README takes what is signed, once, and nothing else', async () => {
  const code = /## Receiving webhooks[\s\S]*?```js\n([\s\S]*?)```/.exec(
    readFileSync('README.md', 'utf8'),
  )?.[1];
  if (code === undefined) throw new Error('the README has no receiver');
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(23);
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const port = await findFreePort();
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { PATH: process.env.PATH, PORT: String(port), WEBHOOK_SECRET: secret },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  try {
    const body = '{"type":"job.succeeded","sequence":3,"data":{"id":"J"}}';
    const post = async (text: string) => {
      const headers = signWebhook('dlv_1', Math.floor(Date.now() / 1_000), body, [secret]);
      const url = `http://127.0.0.1:${port}/`;
      return (await fetch(url, { method: 'POST', headers, body: text })).status;
    };
    expect(await until('it listens', () => post(body))).toBe(204);
    expect(await post(body)).toBe(204);
    expect(await post(`${body} `)).toBe(401);
    expect(output).toBe('job.succeeded J 3\n');
  } finally {
    child.kill('SIGKILL');
  }
});
