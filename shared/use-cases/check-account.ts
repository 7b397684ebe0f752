import { AppError } from '../app-error.ts';
import { toIso } from '../clock.ts';
import type { AccountCheck } from '../contract/account-view.ts';
import type { AccountFacts } from '../domain/integrated-account.ts';
import type { CheckValue } from '../queues/account-queries.ts';
import type { Account } from '../stores/account-store.ts';
import type { AccountDeps } from './account-access.ts';
import { findMarkerFailures } from './verify-marker.ts';

/**
 * Tries the account's credentials at the provider and says what they can see. What the provider refuses is a result,
 * not an error.
 * @throws AppError `query_timed_out` when no worker answers.
 */
export async function checkAccount(deps: AccountDeps, account: Account): Promise<AccountCheck> {
  const answer = await deps.queries.ask(account, { kind: 'check' });
  if (!answer.ok && answer.code === 'query_timed_out') throw new AppError('query_timed_out', answer.message);
  const head = { object: 'account_check', checked_at: toIso(answer.at_ms) } as const;
  if (!answer.ok) {
    const error = { code: answer.code, message: answer.message };
    return { ...head, ok: false, user: null, organisation: null, facts: null, marker: null, error };
  }
  // The worker answers `check` with this.
  const { user, organisation, facts, factsFailure } = answer.value as CheckValue;
  const marker = checkMarker(account, facts);
  return {
    ...head,
    ok: factsFailure === undefined && marker?.ok !== false,
    user,
    organisation: organisation ?? null,
    facts: facts ? summarise(facts) : null,
    marker,
    error: factsFailure ?? null,
  };
}

function summarise(facts: AccountFacts): NonNullable<AccountCheck['facts']> {
  return {
    stages: facts.stages.length,
    owners: facts.owners.length,
    custom_fields: facts.customFields.length,
    currency: { mode: facts.currency.mode, code: facts.currency.code ?? null },
    fetched_at: toIso(facts.fetchedAtMs),
  };
}

function checkMarker({ settings }: Account, facts: AccountFacts | undefined): AccountCheck['marker'] {
  const { marker } = settings;
  if (!marker || !facts) return null;
  const failures = findMarkerFailures(marker, facts);
  const message = failures.map((failure) => failure.message).join('; ');
  return { ok: failures.length === 0, ...marker, message: message || null };
}
