import { html } from 'lit-html';
import { ask, readAccounts } from '../api.js';
import { badge, form, link, select, table, time } from '../parts.js';
import { credentialFields, credentialsFrom, kindsOf, PROVIDERS } from './credentials.js';

/** @import { Account, Frame, Place } from '../types.ts' */

const firstOf = (/** @type {string[]} */ all) => all[0] ?? '';

/**
 * @param {Place} _
 * @param {Frame} frame
 */
export function accountsPage(_, frame) {
  // Sent again after a lost answer it is refused as known, and makes no second account. By plain HTTP there is no `randomUUID`.
  let id = crypto.randomUUID?.();
  const chosen = { provider: firstOf(PROVIDERS), kind: firstOf(kindsOf(firstOf(PROVIDERS))) };
  const choose = (/** @type {Partial<typeof chosen>} */ change) => {
    Object.assign(chosen, change);
    frame.redraw();
  };
  const connect = async (/** @type {FormData} */ fields) => {
    const { provider, kind } = chosen;
    /** @type {Account} */
    const account = await ask('POST', '/integrated-accounts', {
      id,
      provider,
      name: String(fields.get('name')).trim(),
      credentials: credentialsFrom(provider, kind, fields),
    });
    id = crypto.randomUUID?.();
    return { goTo: `#/accounts/${account.id}` };
  };
  return {
    title: 'Accounts',
    everyMs: 10_000,
    load: readAccounts,
    /** @param {Account[]} accounts */
    view: (accounts) => html`
      ${table(
        accounts,
        ({ id }) => id,
        {
          Account: ({ id, name }) => link(`/accounts/${id}`, name || id),
          Provider: ({ provider }) => provider,
          Status: ({ status }) => badge(status),
          Ready: ({ queue }) => queue.waiting,
          Running: ({ queue }) => queue.running,
          Later: ({ queue }) => queue.delayed,
          'Blocked until': ({ limits }) => time(limits.blocked_until),
          'Last error': ({ last_error }) => last_error?.message ?? '–',
        },
        'No account is connected.',
      )}
      <details>
        <summary>Connect an account</summary>
        <label>Provider ${select(PROVIDERS, chosen.provider, (provider) => choose({ provider, kind: firstOf(kindsOf(provider)) }))}</label>
        <label>Kind of credentials ${select(kindsOf(chosen.provider), chosen.kind, (kind) => choose({ kind }))}</label>
        ${form(
          frame,
          html`
            <label>Name <input name="name" required autocomplete="off"></label>
            ${credentialFields(chosen.provider, chosen.kind)}`,
          'Connect',
          connect,
        )}
      </details>`,
  };
}
