import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisProgram } from '../../local/embedded-redis.ts';
import { type GuardedChild, startGuarded } from '../../local/guarded-child.ts';
import { findFreePort } from '../../local/ports.ts';
import { createLogger } from '../../shared/logger.ts';
import { connectRedis, type RedisClient, waitUntilReady } from '../../shared/redis/connect.ts';

/** A Redis that a test may kill, freeze and start again on the same files and the same port. */
export type OwnRedis = {
  url: string;
  port: number;
  /** SIGKILL, as a crash of the machine's process: what it acknowledged is in its files. */
  kill(): Promise<void>;
  /** Starts it again; resolves when it has read its files and answers. */
  start(): Promise<void>;
  /** SIGSTOP: it answers nobody, and its connections stay open. */
  freeze(): void;
  thaw(): void;
  /** A backup of its files, while it is not running. @returns where. */
  copyFiles(): Promise<string>;
  /** The files of a backup in place of its own, while it is not running. */
  putBack(backup: string): Promise<void>;
  /** A connection of the test's own; the owner disconnects it. */
  connect(): RedisClient;
  [Symbol.asyncDispose](): Promise<void>;
};

const silent = createLogger('own-redis', 'silent');

/** Whether there is a server program at all; a machine may have Redis in a container only. */
export function hasRedisProgram(): boolean {
  return findRedisProgram(process.env.PATH ?? '') !== undefined;
}

/** @param more further arguments of the server. */
export async function startOwnRedis(more: readonly string[] = []): Promise<OwnRedis> {
  const program = findRedisProgram(process.env.PATH ?? '');
  if (!program) throw new Error('No redis-server or valkey-server on PATH.');
  const directory = await mkdtemp(join(tmpdir(), 'dealwright-own-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--save', ''],
    ...['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
    ...more,
  ];
  let child: GuardedChild | undefined;

  async function start(): Promise<void> {
    child = startGuarded({
      command: program ?? '',
      args: settings,
      env: { PATH: process.env.PATH },
      output: 'pipe',
    });
    // Read, so that it never blocks on a full pipe.
    child.process.stdout?.resume();
    child.process.stderr?.resume();
    const client = connectRedis(url, 'worker', silent);
    try {
      await waitUntilReady(client, url, 30_000);
    } finally {
      client.disconnect();
    }
  }

  const signal = (name: NodeJS.Signals) => {
    if (child) process.kill(-child.pid, name);
  };
  await start();
  return {
    url,
    port,
    start,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    connect: () => connectRedis(url, 'worker', silent),
    async copyFiles() {
      const backup = `${directory}-backup`;
      await cp(directory, backup, { recursive: true });
      return backup;
    },
    async putBack(backup) {
      await rm(directory, { recursive: true, force: true });
      await cp(backup, directory, { recursive: true });
    },
    async kill() {
      await child?.kill();
    },
    async [Symbol.asyncDispose]() {
      await child?.kill();
      await rm(`${directory}-backup`, { recursive: true, force: true });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
