import { type Clock, toIso } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { CallerDeps } from '../shared/providers/caller.ts';
import type { CallResult } from '../shared/providers/port.ts';
import type { AccountStore } from '../shared/stores/account-store.ts';

/** Says on the account, and in the log, that its provider went away or came back. */
export function createOutageTeller(deps: {
  store: Pick<AccountStore, 'noteOutage' | 'clearOutage'>;
  clock: Clock;
  logger: Logger;
}): NonNullable<CallerDeps['onCircuit']> {
  const { store, clock, logger } = deps;
  return (account, circuit, last) => {
    const { code, message } = describe(last);
    const facts = { account_id: account.id, provider: account.provider };
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
