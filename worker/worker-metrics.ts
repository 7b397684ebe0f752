import { Counter, Gauge, Histogram } from 'prom-client';
import { createRegistry } from '../shared/metrics.ts';
import type { Places } from '../shared/providers/places.ts';
import type { StoppedAccounts } from '../shared/stores/stopped-accounts.ts';
import { within } from './within.ts';

/** How long the metrics wait for what Redis knows; a scrape may take ten seconds by default. */
const COUNT_MS = 1_000;

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics() {
  const registry = createRegistry('worker');
  const attempts = new Counter({
    name: 'dealwright_attempts_total',
    help: 'Create attempts by provider and outcome.',
    labelNames: ['provider', 'outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'dealwright_attempt_duration_seconds',
    help: 'Time from the durable intent to the outcome of a create attempt.',
    labelNames: ['provider'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const deliveries = new Counter({
    name: 'dealwright_webhook_tries_total',
    help: 'Calls to webhook receivers by what came of them: delivered, retry, failed.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const deliveryDuration = new Histogram({
    name: 'dealwright_webhook_try_seconds',
    help: 'Time from the signature to the answer of a webhook receiver.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
    registers: [registry],
  });
  const turnedAway = new Counter({
    name: 'dealwright_gate_turned_away_total',
    help: 'Calls that the gate sent away to come back later, by provider and reason.',
    labelNames: ['provider', 'reason'],
    registers: [registry],
  });
  const limited = new Counter({
    name: 'dealwright_limit_answers_total',
    help: "Answers by which a provider said that a limit is met (429 and Salesforce's own).",
    labelNames: ['provider'],
    registers: [registry],
  });
  const calls = new Gauge({
    name: 'dealwright_calls_in_flight',
    help: 'Calls to providers under way in this process.',
    labelNames: ['provider'],
    registers: [registry],
  });
  return {
    registry,
    turnedAway,
    limited,
    calls,

    watchPlaces(state: Places['state']): void {
      new Gauge({
        name: 'dealwright_places',
        help: 'Places for calls in this process: free ones, and calls that wait for one.',
        labelNames: ['state'],
        registers: [registry],
        collect() {
          for (const [name, count] of Object.entries(state())) this.set({ state: name }, count);
        },
      });
    },

    watchQueues(attached: () => number): void {
      new Gauge({
        name: 'dealwright_attached_queues',
        help: 'Queues (accounts, webhook endpoints, queries) this process works on now.',
        registers: [registry],
        collect() {
          this.set(attached());
        },
      });
    },

    watchStopped(count: StoppedAccounts['count'], nowMs: () => number): void {
      new Gauge({
        name: 'dealwright_accounts_stopped',
        help: 'Accounts that are not called now, over all processes: by a limit, or because their provider is down.',
        labelNames: ['provider', 'reason'],
        registers: [registry],
        async collect() {
          // Redis away: the last numbers are better than no metrics at all. The worker's connection would wait for it.
          const counts = await within(COUNT_MS, count(nowMs()));
          if (!counts) return;
          this.reset();
          for (const { provider, reason, accounts } of counts) this.set({ provider, reason }, accounts);
        },
      });
    },

    onDelivery({ outcome, durationMs }: { outcome: string; durationMs: number }): void {
      deliveries.inc({ outcome });
      deliveryDuration.observe(durationMs / 1_000);
    },
    onAttempt({
      provider,
      outcome,
      durationMs,
    }: {
      provider: string;
      outcome: string;
      durationMs: number;
    }): void {
      attempts.inc({ provider, outcome });
      duration.observe({ provider }, durationMs / 1_000);
    },
  };
}
