import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, loadConfig } from '../shared/config.ts';
import { createLogger } from '../shared/logger.ts';
import { descriptors } from '../shared/providers/descriptors.ts';
import { Shutdown } from '../shared/shutdown.ts';
import { connectDemoAccount, demoAccounts } from './demo-accounts.ts';
import { startEmbeddedRedis } from './embedded-redis.ts';
import { claimPort, findFreePort } from './ports.ts';
import { loadOrCreateSecrets } from './secrets.ts';
import { ownChild, type SystemChild, startProcess, waitUntilReady } from './system-child.ts';
import { findPages, printWelcome } from './welcome.ts';

/**
 * `npm start`: the whole system on one machine. It starts the very processes a deployment runs and stops them in
 * reverse order; nothing outlives it.
 */

/** What a process may use to stop, and a little for the guard around it. */
const GRACE_EXTRA_MS = 2_000;
/** After a failure: what cannot end by then waits for the part that is gone, Redis mostly. */
const GRACE_AFTER_FAILURE_MS = 3_000;

async function main(config: Config, shutdown: Shutdown, fail: (err: unknown) => void): Promise<void> {
  const graceMs = () => (hasFailed ? GRACE_AFTER_FAILURE_MS : config.shutdownMs + GRACE_EXTRA_MS);
  const own = (child: SystemChild) => ownChild(shutdown, child, graceMs, fail);
  const [port, sandboxPort] = [
    await claimPort('PORT', config.port, config.host),
    await claimPort('SANDBOX_PORT', config.sandboxPort, '127.0.0.1'),
  ];
  const workerPort = config.workerHealthPort || (await findFreePort());
  const api = originOf(config.host, port);
  const sandbox = originOf('127.0.0.1', sandboxPort);
  const dataDir = resolve(config.dataDir);
  const logDir = join(dataDir, 'logs');
  const stored = loadOrCreateSecrets(dataDir);
  const adminToken = config.adminToken ?? stored.adminToken;

  let redisUrl = config.redisUrl;
  if (redisUrl === undefined) {
    const redis = await startEmbeddedRedis(join(dataDir, 'redis'), process.env.PATH ?? '');
    own({ name: 'redis', child: redis.child, lastWords: redis.lastWords });
    redisUrl = redis.url;
  }

  const env = {
    ...process.env,
    REDIS_URL: redisUrl,
    PORT: String(port),
    ADMIN_TOKEN: adminToken,
    ENCRYPTION_KEYS: process.env.ENCRYPTION_KEYS || stored.encryptionKeys,
    PROVIDER_URL_ALLOWLIST: [...(config.providerUrlAllowlist ?? vendorOrigins()), sandbox].join(','),
    WEBHOOK_ALLOW_PRIVATE: process.env.WEBHOOK_ALLOW_PRIVATE || 'true',
    WORKER_HEALTH_PORT: String(workerPort),
  };
  const sandboxEnv = { PATH: process.env.PATH, HOST: '127.0.0.1', SANDBOX_PORT: String(sandboxPort) };
  const children: [SystemChild, readyUrl: string][] = [
    [
      own(startProcess({ name: 'sandbox', env: sandboxEnv, logDir })),
      `${sandbox}/_control/calls?provider=close`,
    ],
    [own(startProcess({ name: 'api', env, logDir })), `${api}/readyz`],
    [own(startProcess({ name: 'worker', env, logDir })), `${originOf(config.host, workerPort)}/readyz`],
  ];
  await Promise.all(children.map(([child, readyUrl]) => waitUntilReady(child, readyUrl)));

  const accounts = demoAccounts(sandbox);
  await Promise.all(accounts.map((account) => connectDemoAccount(api, adminToken, account)));
  printWelcome({
    api,
    sandbox,
    pages: await findPages(api),
    redis:
      config.redisUrl === undefined ? `embedded, data in ${shownPath(join(dataDir, 'redis'))}` : 'REDIS_URL',
    logs: shownPath(logDir),
    adminToken,
    accounts,
  });
}

function vendorOrigins(): string[] {
  return Object.values(descriptors).flatMap((descriptor) => descriptor.allowedOrigins);
}

/** Where a local client reaches what listens on `host`. */
function originOf(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

function messageOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  return err.cause instanceof Error ? `${err.message} (${messageOf(err.cause)})` : err.message;
}

/**
 * One Ctrl-C arrives twice: from the terminal and, forwarded, from npm. The second must not cut the stopping short.
 * A person who presses it again later means it; what is left then ends with us.
 */
function ignoreRepeatedSignals(): void {
  let firstMs: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      firstMs ??= performance.now();
      if (performance.now() - firstMs > 1_000) process.exit(130);
    });
  }
}

function readConfigOrExit(): Config {
  try {
    return loadConfig();
  } catch (err) {
    console.error(messageOf(err));
    process.exit(1);
  }
}

const config = readConfigOrExit();
// Four children, one after the other.
const shutdown = new Shutdown(createLogger('start', 'silent'), 4 * (config.shutdownMs + GRACE_EXTRA_MS));
shutdown.onSignals();
ignoreRepeatedSignals();
let hasFailed = false;
const fail = (err: unknown) => {
  if (hasFailed) return;
  hasFailed = true;
  console.error(`\nDealwright cannot run: ${messageOf(err)}\n`);
  void shutdown.run('failed').then(() => process.exit(1));
};
console.log('Starting Redis, the provider sandbox, the API and a worker …');
main(config, shutdown, fail).catch(async (err) => {
  // A refused connection is often the first sign of a child's end, whose own words say more.
  await delay(500);
  fail(err);
});
