import { toIso } from '../../shared/clock.ts';
import * as operations from '../../shared/contract/operations/meta.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { type AccountDeps, askOrThrow, getAccount } from '../../shared/use-cases/account-access.ts';
import { describeCreate } from '../../shared/use-cases/describe-create.ts';
import type { Serve } from '../serve-operation.ts';
import type { TellLimits } from '../tell-limits.ts';

export type MetaDeps = Pick<AccountDeps, 'store' | 'queries' | 'descriptorOf' | 'clock'> & {
  tellLimits: TellLimits;
};

const HEAD = { object: 'create_meta', resource: 'crm/opportunities', method: 'create' } as const;

/** `/unified/crm/opportunities/…/meta/create`. */
export function serveMeta(serve: Serve, deps: MetaDeps): void {
  serve(operations.describeProviderCreate, ({ params: { provider } }) => ({
    status: 200,
    body: { ...HEAD, provider, ...describeCreate(deps.descriptorOf(provider)) },
  }));

  serve(operations.describeAccountCreate, async ({ query, caller, res }) => {
    const account = await getAccount(deps, caller.workspace, query.integrated_account_id);
    const kept = query.refresh ? undefined : await deps.store.facts(account.id);
    // The worker answers `facts` with these.
    const facts = kept ?? ((await askOrThrow(deps, account, { kind: 'facts' })).value as AccountFacts);
    const ageMs = Math.max(0, deps.clock.nowMs() - facts.fetchedAtMs);
    const { provider, settings } = account;
    await deps.tellLimits(account.id, res);
    return {
      status: 200,
      body: {
        ...HEAD,
        provider,
        integrated_account_id: account.id,
        ...describeCreate(deps.descriptorOf(provider), { settings, facts }),
        live: {
          fetched_at: toIso(facts.fetchedAtMs),
          age_seconds: Math.round(ageMs / 1_000),
          user: facts.user,
          organisation: facts.organisation ?? null,
        },
      },
    };
  });
}
