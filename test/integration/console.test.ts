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
  const page = await (await fetch(`${url}/console`)).text();
  const { imports } = JSON.parse(/<script type="importmap">([^<]*)</.exec(page)?.[1] ?? '') as {
    imports: Record<string, string>;
  };
  const resolve = (name: string, from: string) => {
    if (name.startsWith('.')) return new URL(name, url + from).pathname;
    const [prefix = '', path = ''] =
      Object.entries(imports).find(([key]) => name === key || (key.endsWith('/') && name.startsWith(key))) ??
      [];
    return path + name.slice(prefix.length);
  };
  const waiting = ['/console/console.css', '/console/main.js'];
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
    for (const [, name = ''] of text.matchAll(/(?:^|;)import\b[^'"();]*['"]([^'"]+)['"]/gm))
      waiting.push(resolve(name, path));
  }
  expect([...seen]).toContain('/console/lit-html/directives/repeat.js');
  expect(seen.size).toBeGreaterThan(10);
});

it.each([
  '/console/types.ts',
  '/console/tsconfig.json',
  '/console/index.html',
  '/console/../api/main.ts',
  '/console/pages/',
  '/console/none.js',
  '/console/lit-html/package.json',
  '/console/lit-html/node/lit-html.js',
])('%s is not there', async (path) => {
  const { url } = await startTestApi();
  const answer = await fetch(url + path);
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ code: 'route_not_found' });
});

it.each(['/console', '/console/main.js'])('%s is read, and nothing else', async (path) => {
  const { url } = await startTestApi();
  const answer = await fetch(url + path, { method: 'POST' });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});
