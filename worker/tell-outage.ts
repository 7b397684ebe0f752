import { type Clock, toIso } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { CallerDeps } from '../shared/providers/caller.ts';
import type { CallResult } from '../shared/providers/port.ts';
import type { AccountStore } from '../shared/stores/account-store.ts';
import type { StoppedAccounts } from '../shared/stores/stopped-accounts.ts';

/** An account that was not probed for so long has no work, and is no longer counted as stopped: twice the longest interval. */
const COUNTED_MS = 600_000;

/** Says on the account, in the log and in the metrics that its provider went away or came back. */
export function createOutageTeller(deps: {
  store: Pick<AccountStore, 'noteOutage' | 'clearOutage'>;
  stopped: Pick<StoppedAccounts, 'note' | 'clear'>;
  clock: Clock;
  logger: Logger;
}): NonNullable<CallerDeps['onCircuit']> {
  const { store, stopped, clock, logger } = deps;
  return (account, circuit, last) => {
    const { code, message } = describe(last);
    const { id, provider } = account;
    const facts = { account_id: id, provider };
    const counted =
      circuit === 'closed'
        ? stopped.clear('outage', provider, id)
        : stopped.note('outage', provider, id, clock.nowMs(), COUNTED_MS);
    counted.catch(() => {});
    if (circuit === 'held_open') return;
    if (circuit === 'opened') logger.warn({ ...facts, code, reason: message }, 'account.provider_down');
    else logger.info(facts, 'account.provider_back');
    const told =
      circuit === 'opened'
        ? store.noteOutage(account.id, {
            code,
            message: `The provider is not there (${message}). It is asked again after growing times; jobs wait.`,
            at: toIso(clock.nowMs()),
          })
        : store.clearOutage(account.id);
    told.catch((err) => logger.warn({ err, ...facts }, 'account.outage_untold'));
  };
}

function describe(last: CallResult): { code: string; message: string } {
  if (last.kind === 'answered')
    return { code: 'provider_unavailable', message: `it answered ${last.status}` };
  if (last.kind === 'not_sent' || last.kind === 'unanswered')
    return { code: last.code, message: last.message };
  return { code: 'provider_unavailable', message: last.kind };
}
