import type { Logger } from './logger.ts';

type Release = () => unknown;

/**
 * Releases what a process owns, last in, first out, once, within a deadline.
 * Construction and its release stand on adjacent lines: `const redis = shutdown.own(connect(), (r) => r.quit())`.
 */
export class Shutdown {
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  readonly #releases: { name: string; release: Release }[] = [];
  #running: Promise<void> | undefined;

  constructor(logger: Logger, deadlineMs: number) {
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
  }

  own<T>(name: string, value: T, release: (value: T) => unknown): T {
    this.#releases.push({ name, release: () => release(value) });
    return value;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Runs every release in reverse order; a failing one is logged and does not stop the rest. */
  run(reason: string): Promise<void> {
    this.#running ??= this.#releaseAll(reason);
    return this.#running;
  }

  /** Ends the process on SIGTERM, SIGINT and on faults nobody handled. */
  onSignals(): void {
    const end = (reason: string, code: number) => {
      const late = setTimeout(() => {
        this.#logger.error({ reason, deadline_ms: this.#deadlineMs }, 'shutdown.deadline_passed');
        process.exit(1);
      }, this.#deadlineMs);
      late.unref();
      this.run(reason)
        .then(() => this.#flush())
        .then(() => process.exit(code));
    };
    // Not `once`: npm passes a Ctrl-C on that the terminal has delivered already, and a second one must not kill us.
    process.on('SIGTERM', () => end('SIGTERM', 0));
    process.on('SIGINT', () => end('SIGINT', 0));
    process.on('uncaughtException', (err) => {
      this.#logger.fatal({ err }, 'process.uncaught_exception');
      end('uncaughtException', 1);
    });
    process.on('unhandledRejection', (reason) => {
      this.#logger.fatal({ err: reason }, 'process.unhandled_rejection');
      end('unhandledRejection', 1);
    });
  }

  /** The last lines tell why a process ended, and are written from memory. */
  #flush(): Promise<void> {
    return new Promise((resolve) => this.#logger.flush(() => resolve()));
  }

  async #releaseAll(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'shutdown.started');
    for (const { name, release } of this.#releases.reverse()) {
      try {
        await release();
      } catch (err) {
        this.#logger.warn({ err, resource: name }, 'shutdown.release_failed');
      }
    }
    this.#logger.info({ reason }, 'shutdown.finished');
  }
}
