import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The one place that names the image; `.ci/container-leg.sh` reads it from here. */
export const REDIS_IMAGE = 'redis:7.4-alpine';

/** An engine that answers slowly or cannot pull must not hold the tests up when a local server would do. */
const ENGINE_MS = 5_000;
const PULL_MS = 30_000;

export type Engine = { ok: true; shown: string } | { ok: false; reason: string };

/** Whether a Docker engine answers and has, or can pull, the image. */
export async function findEngine(): Promise<Engine> {
  let version: string;
  try {
    const { stdout } = await run('docker', ['version', '--format', '{{.Server.Version}}'], {
      timeout: ENGINE_MS,
    });
    version = stdout.trim();
  } catch {
    return { ok: false, reason: 'no Docker engine answers' };
  }
  const shown = `Docker ${version}`;
  try {
    await run('docker', ['image', 'inspect', REDIS_IMAGE], { timeout: ENGINE_MS });
    return { ok: true, shown };
  } catch {
    // Not here yet.
  }
  try {
    await run('docker', ['pull', '--quiet', REDIS_IMAGE], { timeout: PULL_MS });
    return { ok: true, shown };
  } catch {
    return { ok: false, reason: `${shown} answers, but has no ${REDIS_IMAGE} and cannot pull it` };
  }
}

const DURABLE = [
  ...['--appendonly', 'yes', '--appendfsync', 'always'],
  ...['--maxmemory-policy', 'noeviction', '--save', ''],
];

/** Starts Redis in a container, as durable as the other legs. */
export async function startContainer(): Promise<{ url: string; close: () => Promise<unknown> }> {
  // Loaded only here: it is heavy, and most runs do without.
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(REDIS_IMAGE)
    // It is reached through the engine's network only; the official image leaves protected mode off, too.
    .withCommand(['redis-server', ...DURABLE, '--protected-mode', 'no'])
    .withExposedPorts(6379)
    .withWaitStrategy(Wait.forLogMessage(/Ready to accept connections/))
    .withStartupTimeout(60_000)
    .start();
  const url = `redis://${container.getHost()}:${container.getMappedPort(6379)}`;
  return { url, close: () => container.stop() };
}
