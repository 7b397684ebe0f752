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
  return {
    registry,
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
