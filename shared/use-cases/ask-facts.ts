import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { AccountFacts } from '../domain/integrated-account.ts';
import type { AccountQueries } from '../queues/account-queries.ts';
import type { Account } from '../stores/account-store.ts';

export type AskFacts = (account: Account) => Promise<AccountFacts | undefined>;

/** How long a request waits for live values that it can do without. */
const WAIT_MS = 5_000;
/** For so long nobody waits again after they could not be had: no worker runs, or the provider is away. */
const REST_MS = 30_000;

/** Live values of an account if a worker brings them soon; undefined otherwise, whatever the reason. */
export function createAskFacts({
  queries,
  clock,
}: {
  queries: Pick<AccountQueries, 'ask'>;
  clock: Clock;
}): AskFacts {
  const restsUntilMs = new Map<string, number>();
  return async (account) => {
    const now = clock.nowMs();
    for (const [id, untilMs] of restsUntilMs) if (untilMs <= now) restsUntilMs.delete(id);
    if (restsUntilMs.has(account.id)) return undefined;
    const asked = queries.ask(account, { kind: 'facts' }, WAIT_MS).catch(() => undefined);
    // The same question may be under way for somebody who waits longer.
    const answer = await Promise.race([asked, sleep(WAIT_MS, undefined, { ref: false })]);
    // The worker's own answer to this question.
    if (answer?.ok) return answer.value as AccountFacts;
    restsUntilMs.set(account.id, clock.nowMs() + REST_MS);
    return undefined;
  };
}
