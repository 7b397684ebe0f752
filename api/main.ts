import { systemClock } from '../shared/clock.ts';
import { ConfigError, loadConfig } from '../shared/config.ts';
import { createLogger } from '../shared/logger.ts';
import { NotDurable } from '../shared/redis/durability.ts';
import { Shutdown } from '../shared/shutdown.ts';
import { buildApi } from './build-api.ts';
import { ListenError, listen } from './listen.ts';

/** Where the API process begins: configuration, parts, port, and the way back. */
async function main(): Promise<void> {
  const config = loadConfig(['redisUrl', 'adminToken', 'encryptionKeys']);
  const logger = createLogger('api', config.logLevel);
  const shutdown = new Shutdown(logger, config.shutdownMs);
  shutdown.onSignals();
  try {
    const { app, letGo } = await buildApi(config, logger, shutdown, systemClock);
    const server = await listen(app, config.port, config.host);
    // Released first: whoever waits is answered 202 before the connections under it go.
    shutdown.own('http server', server, ({ close }) => {
      letGo();
      return close();
    });
    logger.info({ url: server.url, pid: process.pid }, 'api.listening');
  } catch (err) {
    await shutdown.run('failed start');
    throw err;
  }
}

try {
  await main();
} catch (err) {
  const isPlain = err instanceof ConfigError || err instanceof NotDurable || err instanceof ListenError;
  const message =
    err instanceof Error && (isPlain || err.message.startsWith('Redis does not answer')) ? err.message : err;
  console.error(message);
  process.exit(1);
}
