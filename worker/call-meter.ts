import type { Clock } from '../shared/clock.ts';
import type { CallMeter } from '../shared/providers/caller.ts';
import type { StoppedAccounts } from '../shared/stores/stopped-accounts.ts';
import type { WorkerMetrics } from './worker-metrics.ts';

/** Counts calls by provider; an account is never a label. */
export function createCallMeter(deps: {
  stopped: Pick<StoppedAccounts, 'note'>;
  metrics: Pick<WorkerMetrics, 'turnedAway' | 'calls' | 'limited'>;
  clock: Clock;
}): CallMeter {
  const { stopped, metrics, clock } = deps;
  return {
    turnedAway: ({ provider }, reason) => metrics.turnedAway.inc({ provider, reason }),
    began: ({ provider }) => metrics.calls.inc({ provider }),
    ended: ({ provider }) => metrics.calls.dec({ provider }),
    limited({ id, provider }, blockedMs) {
      metrics.limited.inc({ provider });
      stopped.note('limit', provider, id, clock.nowMs(), blockedMs).catch(() => {});
    },
  };
}
