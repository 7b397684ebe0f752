import type { Clock } from '../../shared/clock.ts';
import { toJobOptions } from '../../shared/contract/create-query.ts';
import { createOpportunity } from '../../shared/contract/operations/opportunities.ts';
import type { AcceptMetrics } from '../../shared/metrics.ts';
import type { TargetChecker } from '../../shared/outbound-policy/check-target.ts';
import { assertTarget } from '../../shared/use-cases/manage-webhooks.ts';
import {
  type PreviewDeps,
  previewOfInvalid,
  previewOpportunity,
} from '../../shared/use-cases/preview-opportunity.ts';
import { type SubmitDeps, submitOpportunity } from '../../shared/use-cases/submit-opportunity.ts';
import { answerCreate } from '../answer-create.ts';
import { type AccountReader, getAccount } from '../find-account.ts';
import { toAppError } from '../middleware/handle-error.ts';
import { decideWait, parsePrefer } from '../prefer.ts';
import type { Serve } from '../serve-operation.ts';
import type { TellLimits } from '../tell-limits.ts';
import type { JobWaiter } from '../wait-for-job.ts';

export type OpportunitiesDeps = Omit<SubmitDeps & PreviewDeps, 'accounts'> & {
  accounts: AccountReader & SubmitDeps['accounts'];
  waiter: Pick<JobWaiter, 'wait'>;
  metrics: AcceptMetrics;
  clock: Clock;
  defaultWaitSeconds: number;
  /** Judges where a callback may go. */
  targets: TargetChecker;
  tellLimits: TellLimits;
};

export function serveOpportunities(serve: Serve, deps: OpportunitiesDeps): void {
  serve(
    createOpportunity,
    async ({ query, headers, body, caller, requestId, res }) => {
      let provider = 'unknown';
      try {
        // A resolver that does not answer now must not stop a create: the address is checked at the connection again.
        if (query.callback_url !== undefined)
          await assertTarget(deps.targets, query.callback_url, '/callback_url', { patient: true });
        const account = await getAccount(deps.accounts, caller.workspace, query.integrated_account_id);
        provider = account.provider;
        const told = deps.tellLimits(account.id, res);
        const options = { response_format: 'unified' as const, ...toJobOptions(query) };
        if (query.dry_run)
          return { status: 200, body: await previewOpportunity(deps, account, body, options) };
        const submission = {
          account,
          body,
          query: options,
          callbackUrl: query.callback_url,
          idempotencyKey: headers['idempotency-key'],
          requestId,
          traceparent: headers.traceparent,
        };
        // Also of one that is refused, and in any case awaited.
        const { job, replayed } = await submitOpportunity(deps, submission).finally(() => told);
        deps.metrics.count(provider, replayed ? 'replayed' : 'accepted');
        const decision = decideWait(parsePrefer(headers.prefer), deps.defaultWaitSeconds);
        const answer = await answerCreate(
          deps.waiter,
          { job, account, replayed, requestId },
          decision,
          res,
          deps.clock.nowMs,
        );
        // After a wait the numbers are old; whoever waited does not mind a trip.
        if (decision.seconds > 0) await deps.tellLimits(account.id, res);
        return answer;
      } catch (err) {
        // By the code that the caller is told.
        if (!query.dry_run) deps.metrics.count(provider, toAppError(err).code);
        throw err;
      }
    },
    {
      onInvalidBody: async (failures, { query, caller }) => {
        if (!query.dry_run) return undefined;
        await getAccount(deps.accounts, caller.workspace, query.integrated_account_id);
        return { status: 200, body: previewOfInvalid(failures) };
      },
    },
  );
}
