import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** A registry of this process with Node's own metrics; every name starts with `dealwright_` or `nodejs_`/`process_`. */
export function createRegistry(process: 'api' | 'worker'): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ process });
  collectDefaultMetrics({ register: registry });
  return registry;
}

export type HttpMetrics = ReturnType<typeof createHttpMetrics>;

/** How many requests ended how, and how long they took. `route` is the pattern, never the path: ids would flood it. */
export function createHttpMetrics(registry: Registry) {
  const duration = new Histogram({
    name: 'dealwright_http_request_seconds',
    help: 'Seconds from the first byte of a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  return {
    finished(method: string, route: string, status: number, seconds: number): void {
      duration.observe({ method, route, status: String(status) }, seconds);
    },
  };
}

export type AcceptMetrics = ReturnType<typeof createAcceptMetrics>;

/** What became of the creates that were sent to us. */
export function createAcceptMetrics(registry: Registry) {
  const accepts = new Counter({
    name: 'dealwright_accepts_total',
    help: 'Creates by provider and what became of them: accepted, replayed, or the error code.',
    labelNames: ['provider', 'result'],
    registers: [registry],
  });
  return {
    count: (provider: string, result: string): void => accepts.inc({ provider, result }),
  };
}
