import type { Registry } from 'prom-client';
import { type Clock, toIsoOrNull } from '../../shared/clock.ts';
import { buildOpenApi } from '../../shared/contract/build-openapi.ts';
import * as operations from '../../shared/contract/operations/health.ts';
import type { DurabilityDemand, DurabilityFinding } from '../../shared/redis/durability.ts';
import { isDurableEnough } from '../../shared/redis/durability.ts';
import type { Serve } from '../serve-operation.ts';

export type HealthDeps = {
  /** What Redis says of its durability; throws when it does not answer. */
  readDurability: () => Promise<DurabilityFinding>;
  /** Replicas that could have a write now. */
  countReplicas: () => Promise<number>;
  /** Whether new work is refused for want of memory. */
  isStoreFull: () => boolean;
  /** When a worker was last seen (ms); undefined: never. */
  lastWorkerSeenMs: () => Promise<number | undefined>;
  durability: { demanded: DurabilityDemand; replicas: number };
  registry: Registry;
  clock: Clock;
};

/** A worker reports every few seconds; one that was silent for this long is not there. */
const WORKER_SILENT_MS = 60_000;

export function serveHealth(serve: Serve, deps: HealthDeps): void {
  let document: Record<string, unknown> | undefined;

  serve(operations.healthz, () => ({ status: 200, body: { status: 'ok' } }));

  serve(operations.readyz, async () => {
    const readiness = await readReadiness(deps);
    return { status: readiness.status === 'ready' ? 200 : 503, body: readiness };
  });

  serve(operations.metrics, async ({ res }) => {
    res.setHeader('Content-Type', deps.registry.contentType);
    res.end(await deps.registry.metrics());
    return undefined;
  });

  serve(operations.openapi, () => {
    document ??= buildOpenApi();
    return { status: 200, headers: { 'Access-Control-Allow-Origin': '*' }, body: document };
  });
}

async function readReadiness(deps: HealthDeps): Promise<operations.Readiness> {
  const durability = { demanded: deps.durability.demanded, replicas: deps.durability.replicas };
  try {
    const { demanded, replicas } = deps.durability;
    const [finding, connected, seenMs] = await Promise.all([
      deps.readDurability(),
      replicas > 0 ? deps.countReplicas() : 0,
      deps.lastWorkerSeenMs(),
    ]);
    const tooFew =
      connected < replicas ? `${connected} replicas are connected, ${replicas} must have a write` : undefined;
    const enough = isDurableEnough(demanded, finding) && tooFew === undefined;
    const seen = seenMs !== undefined && deps.clock.nowMs() - seenMs < WORKER_SILENT_MS;
    return {
      status: enough ? 'ready' : 'not_ready',
      redis: enough ? 'ok' : 'not_durable',
      durability: {
        ...durability,
        found: finding.found,
        message: tooFew ?? (finding.found === 'strict' ? null : finding.message),
      },
      memory: deps.isStoreFull() ? 'full' : 'ok',
      worker: { seen, last_seen_at: toIsoOrNull(seenMs) },
    };
  } catch {
    return {
      status: 'not_ready',
      redis: 'unavailable',
      durability: { ...durability, found: 'unknown', message: 'Redis does not answer.' },
      memory: 'unknown',
      worker: { seen: false, last_seen_at: null },
    };
  }
}
