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
      // A signal came first, and what it closed made the start fail: it ends the process.
      if (shutdown.isRunning) return;
      tell(err);
      // Not unref'd: it also keeps the process alive for the releases.
      setTimeout(() => process.exit(1), config.shutdownMs);
      await shutdown.run('failed start');
      process.exit(1);
    }
  } catch (err) {
    tell(err);
    process.exit(1);
  }
}

function tell(err: unknown): void {
  console.error(err instanceof StartError ? err.message : err);
}
