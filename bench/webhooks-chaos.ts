import { runWebhookChaos } from '../test/support/webhook-chaos.ts';
import type { Bench } from './support/figures.ts';

/**
 * Every event arrives, at least once, while the receiver fails 30 % and hangs 5 % of the calls and workers and Redis are
 * killed: missing must be 0, and what arrived twice is counted.
 */
export const webhooksChaos: Bench = async ({ quick }) => {
  const result = await runWebhookChaos({
    ...(quick ? { jobs: 100, chaosMs: 4_000 } : { jobs: 2_000, chaosMs: 60_000 }),
    ...{ endpoints: 2, workers: 2, settleWithinMs: 300_000 },
    log: (line) => console.log(`  ${line}`),
  });
  const { missing, unexpected, ...figures } = result;
  if (missing.length > 0 || unexpected.length > 0)
    throw new Error(`${missing.length} events did not arrive, ${unexpected.length} nobody wrote`);
  return { ...figures, missing: 0, unexpected: 0 };
};
