import { hash } from 'node:crypto';
import type { FieldFailure, Warning } from '../../shared/domain/failure.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { OpportunityInput } from '../../shared/domain/opportunity.ts';
import type { Call, CallResult, Looked, MappingResult, WritePlan } from '../../shared/providers/port.ts';
import { readByOneGrant } from '../../shared/providers/read-by-one-grant.ts';
import type { Run, WriterDeps } from './deps.ts';

export type Planned =
  | {
      kind: 'plan';
      plan: WritePlan;
      warnings: Warning[];
      facts: AccountFacts | undefined;
      fingerprint: string;
    }
  | { kind: 'invalid'; failures: FieldFailure[] }
  /** The account's live values could not be read: how that call ended. */
  | { kind: 'unread'; result: CallResult };

/** Facts younger than this are not read again for a miss: a wrong stage name must not cost a call per job. */
const FRESH_MS = 15_000;

/** Maps the job's request to the provider's, with the account's live values; refreshed once on a miss. */
export async function planWrite(deps: WriterDeps, run: Run, call: Call): Promise<Planned> {
  let facts = await deps.accounts.facts(run.account.id);
  if (!facts) {
    const read = await readFacts(deps, run, call);
    if (!read.ok) return { kind: 'unread', result: read.result };
    facts = read.value;
  }
  let mapped = map(run, facts);
  if (!mapped.ok && mapped.staleFacts && deps.clock.nowMs() - facts.fetchedAtMs > FRESH_MS) {
    const read = await readFacts(deps, run, call);
    if (!read.ok) return { kind: 'unread', result: read.result };
    facts = read.value;
    mapped = map(run, facts);
  }
  const mode = run.job.request.query.on_unsupported ?? run.account.settings.on_unsupported ?? 'warn';
  const refused = mode === 'reject' ? mapped.unsupported : [];
  if (!mapped.ok || refused.length > 0) {
    return { kind: 'invalid', failures: [...(mapped.ok ? [] : mapped.failures), ...refused] };
  }
  return {
    kind: 'plan',
    plan: mapped.plan,
    warnings: mergeWarnings(run.job.warnings, [
      ...mapped.warnings,
      ...(mode === 'warn' ? mapped.unsupported : []),
    ]),
    facts,
    fingerprint: fingerprintOf(mapped.plan),
  };
}

/** What is left of a plan for a job that is written already and can no longer be mapped: its result. */
export function planOfWritten(run: Run, why: string): Extract<Planned, { kind: 'plan' }> {
  const { job } = run;
  return {
    kind: 'plan',
    plan: { create: { method: 'GET', path: '', purpose: 'read_back' }, followUps: [], content: {} },
    warnings: [
      ...job.warnings,
      {
        code: 'follow_ups_not_planned',
        message: `The opportunity was written; whatever should have followed its create could not be planned: ${why}`,
      },
    ],
    facts: undefined,
    fingerprint: job.fingerprint ?? '',
  };
}

/** Read once for all jobs of the account that miss them at the same time: the first of a backlog come together. */
export function readFacts(deps: WriterDeps, run: Run, call: Call): Promise<Looked<AccountFacts>> {
  const { id, settings, credentialsVersion } = run.account;
  const key = `${id} ${credentialsVersion}`;
  const underWay = deps.factsUnderWay.get(key);
  if (underWay) return underWay;
  const read = async () => {
    const facts = await readByOneGrant(deps.credentialsOf, id, () =>
      run.client.fetchFacts(call, deps.clock.nowMs(), settings),
    );
    if (facts.ok) await deps.accounts.putFacts(id, facts.value);
    return facts;
  };
  const started = read().finally(() => deps.factsUnderWay.delete(key));
  deps.factsUnderWay.set(key, started);
  return started;
}

function map(run: Run, facts: AccountFacts): MappingResult {
  const { query, body } = run.job.request;
  return run.descriptor.plan({
    // Both halves passed the schema when they were accepted.
    opportunity: { ...body, ...run.job.appliedDefaults } as OpportunityInput,
    settings: run.account.settings,
    facts,
    remoteQuery: query.remote_query ?? {},
    marker: run.marker,
  });
}

/** Warnings found while accepting and while planning, each once. */
function mergeWarnings(known: Warning[], found: Warning[]): Warning[] {
  const seen = new Set(known.map((warning) => `${warning.code} ${warning.pointer ?? ''}`));
  const fresh = found.filter(({ code, pointer }) => !seen.has(`${code} ${pointer ?? ''}`));
  return [...known, ...fresh.map(({ code, pointer, message }) => ({ code, pointer, message }))];
}

function fingerprintOf(plan: WritePlan): string {
  const pairs = Object.entries(plan.content).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha1', JSON.stringify(pairs), 'base64url');
}
