import type { Logger } from './logger.ts';
import { Shutdown } from './shutdown.ts';
import { StartError } from './start-error.ts';

/**
 * Runs a process of ours: its parts are released in order when it ends, also when only some of them could be made. What a person can mend
 * is told as a sentence, anything else with its stack.
 * @param open configuration and logger; how long releasing may take.
 * @param start makes the parts and gives each to the shutdown; the process lives until that runs.
 */
export async function runProcess<C extends { shutdownMs: number }>(
  open: () => { config: C; logger: Logger },
  start: (config: C, logger: Logger, shutdown: Shutdown) => Promise<void>,
): Promise<void> {
  try {
    const { config, logger } = open();
    const shutdown = new Shutdown(logger, config.shutdownMs);
    shutdown.onSignals();
    try {
      await start(config, logger, shutdown);
    } catch (err) {
      await shutdown.run('failed start');
      throw err;
    }
  } catch (err) {
    console.error(err instanceof StartError ? err.message : err);
    process.exit(1);
  }
}
