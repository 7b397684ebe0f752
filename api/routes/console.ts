import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type RequestHandler, type Router } from 'express';
import { methodNotAllowed } from '../middleware/handle-error.ts';

const FOLDER = fileURLToPath(new URL('../../console/', import.meta.url));
/** What of the folder a browser needs: types and settings are for those who work on it. */
const SERVED = /\/[a-z-]+\.(?:js|css)$/;
const INLINE = /<script type="importmap">([^<]*)<\/script>/g;

/**
 * The console: a page that uses the API as everybody else does, with the token its reader types in. Served as it lies in console/;
 * only the library it draws with comes from elsewhere.
 */
export function serveConsole(router: Router): void {
  const page = readFileSync(`${FOLDER}index.html`, 'utf8');
  const policy = policyFor(page);
  const options = { index: false, cacheControl: false };
  const files = express.static(FOLDER, options);
  const library = express.static(dirname(fileURLToPath(import.meta.resolve('lit-html'))), options);

  router.use('/console', (_req, res, next) => {
    res.setHeader('Content-Security-Policy', policy);
    res.setHeader('X-Content-Type-Options', 'nosniff');
    res.setHeader('Referrer-Policy', 'no-referrer');
    // Asked again every time, and answered 304: page and API are always of one version.
    res.setHeader('Cache-Control', 'no-cache');
    next();
  });
  router.get(['/console', '/console/'], (_req, res) => {
    res.type('html').send(page);
  });
  /** As middleware that knows the path without the folder it is mounted at. */
  const from =
    (source: RequestHandler): RequestHandler =>
    (req, res, next) => {
      if (!SERVED.test(req.path)) return next();
      req.url = req.url.replace(/^\/console/, '');
      source(req, res, next);
    };
  router.get('/console/lit-html.js', from(library));
  router.get('/console/:file', from(files));
  router.get('/console/pages/:file', from(files));
  router.all(['/console', '/console/'], methodNotAllowed(['GET', 'HEAD']));
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
