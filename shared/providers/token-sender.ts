import { type CallerDeps, enterGate } from './caller.ts';
import { descriptors } from './descriptors.ts';
import { paceOf } from './gate.ts';
import type { TokenSend } from './token-refresh.ts';

/** Longest a token endpoint may take; a token call is small and made once. */
const TOKEN_TIMEOUT_MS = 20_000;

/** Sends token requests through the account's gate, as every other call to its provider. */
export function createTokenSender(deps: Pick<CallerDeps, 'gate' | 'send' | 'places' | 'clock'>): TokenSend {
  return async (url, form, headers, account) => {
    const pace = paceOf(descriptors[account.provider], account.settings);
    const entered = await enterGate(deps, account.id, pace, 'token', TOKEN_TIMEOUT_MS);
    if (entered.kind === 'later') {
      return { kind: 'deferred', untilMs: deps.clock.nowMs() + entered.ms, reason: 'rate_limited' };
    }
    const release = await deps.places.take(new URL(url).host);
    try {
      return await deps.send({
        method: 'POST',
        url,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
        body: new URLSearchParams(form).toString(),
        timeoutMs: TOKEN_TIMEOUT_MS,
      });
    } finally {
      release();
      deps.gate.leave(account.id, entered.lease, {}, deps.clock.nowMs()).catch(() => {});
    }
  };
}
