import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;

export function createWorkerMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
  return {
    registry,
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
