import type { Logger } from '../../shared/logger.ts';

/** Runs `task` again and again, `periodMs` after the end of the run before; a failing run is logged and does not end it. */
export function every(
  periodMs: number,
  name: string,
  logger: Logger,
  task: () => Promise<unknown>,
): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = () => {
    running = task()
      .then(() => {})
      .catch((err) => logger.warn({ err, sweep: name }, 'sweep.failed'))
      .finally(() => {
        if (!stopped) timer = setTimeout(run, periodMs);
      });
  };
  run();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
