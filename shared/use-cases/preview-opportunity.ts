import { AppError } from '../app-error.ts';
import type { Clock } from '../clock.ts';
import type { Preview } from '../contract/operations/opportunities.ts';
import type { FieldFailure, Warning } from '../domain/failure.ts';
import type { AccountFacts, ProviderName } from '../domain/integrated-account.ts';
import type { JobRequest } from '../domain/job.ts';
import type { OpportunityInput } from '../domain/opportunity.ts';
import { isErrorCode } from '../errors.ts';
import type { ProviderDescriptor, ProviderRequest } from '../providers/port.ts';
import { toUrl } from '../providers/request-url.ts';
import type { AccountQueries } from '../queues/account-queries.ts';
import type { Account } from '../stores/account-store.ts';
import type { JobStore } from '../stores/job-store.ts';
import { type Planned, planOpportunity } from './plan-opportunity.ts';

export type PreviewDeps = {
  accounts: { facts(id: string): Promise<AccountFacts | undefined> };
  /** Where the account's calls go; never anything secret. */
  baseUrlOf: (account: Account) => Promise<string>;
  jobs: Pick<JobStore, 'newId'>;
  queries: Pick<AccountQueries, 'ask'>;
  descriptorOf: (provider: ProviderName) => ProviderDescriptor;
  clock: Clock;
};

type Live = { facts: AccountFacts | undefined; warnings: Warning[] };

/** Facts younger than this are not asked for again because a mapping missed something. */
const FRESH_MS = 15_000;

/**
 * What a create would send, with the account's live values; nothing is stored or sent.
 * @throws AppError 504 when live values are needed and no worker brings them.
 */
export async function previewOpportunity(
  deps: PreviewDeps,
  account: Account,
  body: OpportunityInput,
  query: JobRequest['query'],
): Promise<Preview> {
  const descriptor = deps.descriptorOf(account.provider);
  const jobId = deps.jobs.newId(account.id);
  const plan = (facts: AccountFacts | undefined) =>
    planOpportunity({
      descriptor,
      settings: account.settings,
      body,
      query,
      facts,
      jobId,
      nowMs: deps.clock.nowMs(),
    });
  const cached = await deps.accounts.facts(account.id);
  let live: Live = { facts: cached, warnings: [] };
  let planned = plan(cached);
  const isOld = cached === undefined || deps.clock.nowMs() - cached.fetchedAtMs > FRESH_MS;
  if (!cached || (planned.stale.length > 0 && isOld)) {
    live = await askForFacts(deps, account, { ...body, ...planned.appliedDefaults });
    planned = plan(live.facts);
  }
  return toPreview(planned, live.warnings, await describeRequest(deps, account, planned));
}

/** The preview of a body that does not pass the schema: nothing to map yet. */
export function previewOfInvalid(failures: FieldFailure[]): Preview {
  return { valid: false, errors: failures, warnings: [], applied_defaults: {}, request: null };
}

async function askForFacts(
  deps: PreviewDeps,
  account: Account,
  opportunity: OpportunityInput,
): Promise<Live> {
  const answer = await deps.queries.ask(account, { kind: 'facts' });
  // The worker's own answer to this question.
  if (answer.ok) return { facts: answer.value as AccountFacts, warnings: [] };
  if (needsFacts(opportunity)) {
    const code = isErrorCode(answer.code) ? answer.code : 'query_timed_out';
    throw new AppError(code, answer.message);
  }
  const message = `Shown without the account's live values, which could not be read: ${answer.message}`;
  return { facts: undefined, warnings: [{ code: 'live_values_unavailable', message }] };
}

/** Only these are looked up in the account's live values. */
function needsFacts({ stage, custom_fields, tags }: OpportunityInput): boolean {
  const byName = stage !== undefined && stage.id === undefined;
  return byName || custom_fields !== undefined || tags?.some(({ id }) => id === undefined) === true;
}

async function describeRequest(
  deps: PreviewDeps,
  account: Account,
  planned: Planned,
): Promise<Preview['request']> {
  if (!planned.ok || planned.plan === undefined) return null;
  const { create } = planned.plan;
  return {
    method: create.method,
    url: toUrl(await deps.baseUrlOf(account), create),
    headers: { Authorization: '***', ...contentType(create), ...create.headers },
    body: create.body ?? null,
  };
}

function contentType(request: ProviderRequest): Record<string, string> {
  return request.body === undefined ? {} : { 'Content-Type': 'application/json' };
}

function toPreview(planned: Planned, warnings: Warning[], request: Preview['request']): Preview {
  // By now the live values are as fresh as they get.
  const errors = [...(planned.ok ? [] : planned.failures), ...planned.stale];
  return {
    valid: errors.length === 0,
    errors,
    warnings: [...planned.warnings, ...warnings],
    applied_defaults: planned.appliedDefaults,
    request,
  };
}
