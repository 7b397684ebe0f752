import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { type Router } from 'express';
import { methodNotAllowed } from '../middleware/handle-error.ts';

const FOLDER = fileURLToPath(new URL('../../console/', import.meta.url));
/** What of the folder a browser needs: types and settings are for those who work on it. */
const SERVED = /^\/(?:(?:pages|directives)\/)?[a-z-]+\.(?:js|css)$/;
const READING = ['GET', 'HEAD'];
const onlyRead = methodNotAllowed(READING);
const INLINE = /<script type="importmap">([^<]*)<\/script>/g;

/**
 * The console: a page that uses the API as everybody else does, with the token its reader types in. Served as it lies in console/;
 * only the library it draws with comes from elsewhere.
 */
export function serveConsole(router: Router): void {
  const page = readFileSync(`${FOLDER}index.html`, 'utf8');
  const policy = policyFor(page);
  router.use('/console', (req, res, next) => {
    res.setHeader('Content-Security-Policy', policy);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Referrer-Policy', 'no-referrer');
    // Asked again every time, and answered 304: nothing of an older version is kept.
    res.setHeader('Cache-Control', 'no-cache');
    if (READING.includes(req.method)) next();
    else onlyRead(req, res, next);
  });
  router.get(['/console', '/console/'], (_req, res) => {
    res.type('html').send(page);
  });
  serveFolder(router, '/console/lit-html', libraryFolder());
  serveFolder(router, '/console', FOLDER);
}

function serveFolder(router: Router, path: string, folder: string): void {
  const files = express.static(folder, { index: false, cacheControl: false });
  router.use(path, (req, res, next) => {
    if (SERVED.test(req.path)) files(req, res, next);
    else next();
  });
}

/** Of the library's builds the browser's: what Node would import is the one for rendering on a server. */
function libraryFolder(): string {
  return fileURLToPath(new URL('..', import.meta.resolve('lit-html')));
}

/** Scripts and styles of this origin and nothing else; it may talk to nobody but this API. */
function policyFor(page: string): string {
  const hashes = [...page.matchAll(INLINE)].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src 'self' ${hashes.join(' ')}`,
    "style-src 'self'",
    'img-src data:',
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types lit-html',
  ].join('; ');
}
