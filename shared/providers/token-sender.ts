import type { CallerDeps } from './caller.ts';
import { descriptors } from './descriptors.ts';
import { paceOf } from './pace.ts';
import { deferredBy, passGate } from './pass-gate.ts';
import type { TokenSend } from './token-refresh.ts';

/** Longest a token endpoint may take; a token call is small and made once. */
const TOKEN_TIMEOUT_MS = 20_000;
/** Everything of the account waits for the token, so it waits longer than a create. */
const TOKEN_WAIT_MS = 2_000;

/** Sends token requests through the account's gate, as every other call to its provider. */
export function createTokenSender(deps: Pick<CallerDeps, 'gate' | 'send' | 'places' | 'clock'>): TokenSend {
  return async (url, form, headers, account) => {
    const passed = await passGate(deps, {
      account: account.id,
      pace: paceOf(descriptors[account.provider], account.settings),
      host: new URL(url).host,
      patienceMs: TOKEN_WAIT_MS,
      timeoutMs: TOKEN_TIMEOUT_MS,
    });
    if (passed.kind === 'refused') return { kind: 'not_sent', code: 'fenced', message: passed.why };
    if (passed.kind === 'later') return deferredBy(deps.clock, passed);
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
      passed.leave({});
    }
  };
}
