import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Stop } from './stop.ts';

/** The API and what opens it. */
export type Target = { url: URL; token: string };

type Environment = Record<string, string | undefined>;
type Given = { url?: string; token?: string };

/** What `npm start` keeps its generated tokens in. */
const Secrets = z.object({ admin_token: z.string() });

/**
 * Where to send to, by flags, else by the environment, else what runs on this machine.
 * @throws Stop when no token is known.
 */
export function findTarget(given: Given, env: Environment): Target {
  const port = env.PORT || '3000';
  const url = parseUrl(given.url ?? (env.DEALWRIGHT_URL || `http://127.0.0.1:${port}`));
  const token = given.token ?? (env.DEALWRIGHT_TOKEN || localToken(url, env));
  if (token === undefined) {
    throw new Stop(`A token for ${url.origin} is needed: --token, or DEALWRIGHT_TOKEN in the environment.`);
  }
  return { url, token };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new Stop(`${text} is no URL of an API, as https://dealwright.example.com`);
  }
  // A path prefix stays; routes are appended to it.
  url.pathname = url.pathname.replace(/\/*$/, '/');
  return url;
}

/** The administrator's token of this machine goes to this machine only. */
function localToken(url: URL, env: Environment): string | undefined {
  if (!['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) return undefined;
  if (env.ADMIN_TOKEN) return env.ADMIN_TOKEN;
  try {
    const file = join(env.DATA_DIR || '.data', 'secrets.json');
    return Secrets.parse(JSON.parse(readFileSync(file, 'utf8'))).admin_token;
  } catch {
    // Nothing was started here, which is no fault.
    return undefined;
  }
}
