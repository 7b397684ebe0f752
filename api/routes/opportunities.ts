import { AppError } from '../../shared/app-error.ts';
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
      // A resolver that does not answer now must not stop a create: the address is checked at the connection again.
      if (query.callback_url !== undefined)
        await assertTarget(deps.targets, query.callback_url, '/callback_url', { patient: true });
      const account = await getAccount(deps.accounts, caller.workspace, query.integrated_account_id);
      const told = deps.tellLimits(account.id, res);
      const options = { response_format: 'unified' as const, ...toJobOptions(query) };
      if (query.dry_run) return { status: 200, body: await previewOpportunity(deps, account, body, options) };
      const submission = {
        account,
        body,
        query: options,
        callbackUrl: query.callback_url,
        idempotencyKey: headers['idempotency-key'],
        requestId,
        traceparent: headers.traceparent,
      };
      try {
        const { job, replayed } = await submitOpportunity(deps, submission);
        deps.metrics.count(account.provider, replayed ? 'replayed' : 'accepted');
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
        deps.metrics.count(account.provider, err instanceof AppError ? err.code : 'internal_error');
        throw err;
      } finally {
        await told;
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
