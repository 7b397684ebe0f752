import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { startTestApi } from './api-support.ts';

it('the console is a page of this origin alone, whose one inline script is named by its hash', async () => {
  const { url } = await startTestApi();
  const answer = await fetch(`${url}/console`);
  const text = await answer.text();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect((await fetch(`${url}/console/`)).status).toBe(200);

  const policy = answer.headers.get('content-security-policy') ?? '';
  const inline = [...text.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([^<]*)<\/script>/g)].map(
    ([, script = '']) => script,
  );
  const hashes = inline.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  expect(hashes).toHaveLength(1);
  expect(policy).toContain(`script-src 'self' ${hashes[0]};`);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toContain('unsafe');
});

it('hands out what a browser needs, each as what it is, asked again every time', async () => {
  const { url } = await startTestApi();
  // From the page on, as a browser finds them.
  const waiting = ['/console/console.css', '/console/main.js', '/console/lit-html.js'];
  const seen = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const answer = await fetch(url + path);
    const text = await answer.text();
    expect([path, answer.status]).toEqual([path, 200]);
    expect(answer.headers.get('content-type')).toMatch(
      path.endsWith('.css') ? /^text\/css/ : /^text\/javascript/,
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    const again = await fetch(url + path, {
      headers: { 'if-none-match': answer.headers.get('etag') ?? '', 'cache-control': 'max-age=0' },
    });
    expect([path, again.status]).toEqual([path, 304]);
    for (const [, from = ''] of text.matchAll(/^import .* from '(\.[^']*)';$/gm)) {
      waiting.push(new URL(from, url + path).pathname);
    }
  }
  expect(seen.size).toBeGreaterThan(10);
});

it.each([
  '/console/types.ts',
  '/console/tsconfig.json',
  '/console/index.html',
  '/console/../api/main.ts',
  '/console/pages/',
  '/console/none.js',
])('%s is not there', async (path) => {
  const { url } = await startTestApi();
  const answer = await fetch(url + path);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 'route_not_found' });
});

it('is read, and nothing else', async () => {
  const { url } = await startTestApi();
  const answer = await fetch(`${url}/console`, { method: 'POST' });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
