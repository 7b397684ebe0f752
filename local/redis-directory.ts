import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '../shared/logger.ts';
import { connectRedis, waitUntilReady } from '../shared/redis/connect.ts';

export const CONFIG_FILE = 'redis.conf';
/** First line of the configuration we write: where this directory's server can be reached. */
export const URL_COMMENT = '# url: ';

/** A server whose owner was killed needs a moment to end. */
const HANDOVER_MS = 5_000;
/** Starting takes well under a second; a lock that is older was left behind. */
const LOCK_STALE_MS = 15_000;

export type Claim = { ok: true; release: () => void } | { ok: false; reason: string };

/**
 * Makes sure that no other server works in `dir`: two on one append-only file destroy it. What counts is whether the
 * server itself still answers, not a process id on file, which after a reboot may belong to anybody.
 */
export async function claimDirectory(dir: string): Promise<Claim> {
  const lock = join(dir, 'starting.lock');
  if (!takeLock(lock)) return { ok: false, reason: `Another start is under way in ${dir}.` };
  const release = () => rmSync(lock, { force: true });
  const deadline = Date.now() + HANDOVER_MS;
  let pid = await findServer(dir);
  while (pid !== undefined && Date.now() < deadline) {
    await delay(100);
    pid = await findServer(dir);
  }
  if (pid === undefined) return { ok: true, release };
  release();
  const reason = `A Redis (process ${pid}) already works in ${dir}: stop the command that owns it, or set DATA_DIR to another directory.`;
  return { ok: false, reason };
}

function takeLock(file: string): boolean {
  try {
    if (Date.now() - statSync(file).mtimeMs > LOCK_STALE_MS) rmSync(file, { force: true });
  } catch {
    // No lock, which is the ordinary case.
  }
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

/** Process id of the server that was started in `dir` and still answers there. */
async function findServer(dir: string): Promise<number | undefined> {
  const url = readUrl(join(dir, CONFIG_FILE));
  if (!url) return undefined;
  const client = connectRedis(url, 'producer', createLogger('embedded-redis', 'silent'));
  try {
    await waitUntilReady(client, url, 500);
    const info = await client.info('server');
    // The password was made for that one run, so whoever accepts it is our server.
    return Number(/process_id:(\d+)/.exec(info)?.[1] ?? 0);
  } catch {
    return undefined;
  } finally {
    client.disconnect();
  }
}

function readUrl(configFile: string): string | undefined {
  try {
    const first = readFileSync(configFile, 'utf8').split('\n')[0] ?? '';
    return first.startsWith(URL_COMMENT) ? first.slice(URL_COMMENT.length) : undefined;
  } catch {
    return undefined;
  }
}
