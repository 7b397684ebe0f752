import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { createLogger } from '../shared/logger.ts';
import { connectRedis, waitUntilReady } from '../shared/redis/connect.ts';
import { type GuardedChild, startGuarded } from './guarded-child.ts';
import { findFreePort } from './ports.ts';
import { CONFIG_FILE, claimDirectory, URL_COMMENT } from './redis-directory.ts';

export type EmbeddedRedis = {
  url: string;
  port: number;
  /** Path of the server program that was found. */
  program: string;
  child: GuardedChild;
  /** The last lines it wrote. */
  lastWords: () => string;
  /** Stops the server; what it acknowledged is on disk. */
  close(): Promise<void>;
};

/** What went wrong, in one sentence for the person who typed the command. */
export class EmbeddedRedisError extends Error {
  override name = 'EmbeddedRedisError';
}

const READY_MS = 60_000;
const STOP_MS = 10_000;

/** First `redis-server` or `valkey-server` on the search path, or undefined. */
export function findRedisProgram(searchPath: string): string | undefined {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const directory of searchPath.split(delimiter).filter(Boolean)) {
      const candidate = join(directory, name);
      try {
        accessSync(candidate, constants.X_OK);
        if (statSync(candidate).isFile()) return candidate;
      } catch {
        // Not here; the next directory may have it.
      }
    }
  }
  return undefined;
}

/**
 * Starts a Redis of our own under `directory`, durable as `DURABILITY=strict` asks: every acknowledged write is
 * fsynced, nothing is evicted. It listens on loopback only, behind a password made for this run, and ends with us.
 * @throws EmbeddedRedisError when there is no server program, the directory is in use, or the server does not start.
 */
export async function startEmbeddedRedis(directory: string, searchPath: string): Promise<EmbeddedRedis> {
  const program = findRedisProgram(searchPath);
  if (!program) {
    throw new EmbeddedRedisError(
      'No redis-server or valkey-server on PATH: install one (sh local/setup.sh tells how) or set REDIS_URL.',
    );
  }
  const dir = resolve(directory);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const claim = await claimDirectory(dir);
  if (!claim.ok) throw new EmbeddedRedisError(claim.reason);
  try {
    return await startServer(program, dir, searchPath);
  } finally {
    claim.release();
  }
}

async function startServer(program: string, dir: string, searchPath: string): Promise<EmbeddedRedis> {
  const port = await findFreePort();
  const password = randomBytes(24).toString('hex');
  const url = `redis://:${password}@127.0.0.1:${port}`;
  // In a file of ours alone: arguments can be read by every user of the machine.
  const config = join(dir, CONFIG_FILE);
  writeFileSync(config, configText({ dir, port, password, url }), { mode: 0o600 });
  const child = startGuarded({
    command: program,
    args: [config],
    env: { PATH: searchPath },
    output: 'pipe',
  });
  const output: string[] = [];
  const collect = (chunk: Buffer) => {
    output.push(chunk.toString());
    if (output.length > 50) output.shift();
  };
  child.process.stdout?.on('data', collect);
  child.process.stderr?.on('data', collect);
  const close = async () => {
    await child.stop(STOP_MS);
  };
  try {
    await Promise.race([answers(url), failsWhenEnded(child, program, output)]);
  } catch (err) {
    await close();
    throw err;
  }
  return { url, port, program, child, lastWords: () => output.join(''), close };
}

function configText(of: { dir: string; port: number; password: string; url: string }): string {
  const { dir, port, password, url } = of;
  return [
    `${URL_COMMENT}${url}`,
    'bind 127.0.0.1',
    `port ${port}`,
    'protected-mode yes',
    `requirepass ${password}`,
    `dir ${JSON.stringify(dir)}`,
    'appendonly yes',
    'appendfsync always',
    'maxmemory-policy noeviction',
    // Each rewriting slows everything for a second or two; records that come and go would bring one about every 64 MB.
    'auto-aof-rewrite-min-size 256mb',
    'save ""',
    'daemonize no',
    // A half-written last command after a power cut is dropped, as it was never acknowledged.
    'aof-load-truncated yes',
    '',
  ].join('\n');
}

async function answers(url: string): Promise<void> {
  const client = connectRedis(url, 'worker', createLogger('embedded-redis', 'silent'));
  try {
    await waitUntilReady(client, url, READY_MS);
  } finally {
    client.disconnect();
  }
}

async function failsWhenEnded(child: GuardedChild, program: string, output: string[]): Promise<never> {
  const { code } = await child.exited;
  const lastWords = output.join('').trim().split('\n').slice(-5).join('\n  ');
  throw new EmbeddedRedisError(`${program} ended with code ${code} before it was ready:\n  ${lastWords}`);
}
