import { systemClock } from '../shared/clock.ts';
import { loadConfig } from '../shared/config.ts';
import { createLogger } from '../shared/logger.ts';
import { runProcess } from '../shared/run-process.ts';
import { buildApi } from './build-api.ts';
import { listen } from './listen.ts';

/** Where the API process begins: configuration, parts, port, and the way back. */
await runProcess(
  () => {
    const config = loadConfig(['redisUrl', 'adminToken', 'encryptionKeys']);
    return { config, logger: createLogger('api', config.logLevel) };
  },
  async (config, logger, shutdown) => {
    const { app, letGo } = await buildApi(config, logger, shutdown, systemClock);
    const server = await listen(app, config.port, config.host);
    // Released first: whoever waits is answered 202 before the connections under it go.
    shutdown.own('http server', server, ({ close }) => {
      letGo();
      return close();
    });
    logger.info({ url: server.url, pid: process.pid }, 'api.listening');
  },
);
