import { html } from 'lit-html';
import { ask, readAccounts } from '../api.js';
import { badge, form, link, table, time } from '../parts.js';
import { credentialFields, credentialsFrom, kindsOf, PROVIDERS } from './credentials.js';

/** @import { Account, Frame, Place } from '../types.ts' */

/**
 * @param {Place} _
 * @param {Frame} frame
 */
export function accountsPage(_, frame) {
  const chosen = { provider: PROVIDERS[0] ?? '', kind: kindsOf(PROVIDERS[0] ?? '')[0] ?? '' };
  const connect = async (/** @type {FormData} */ fields) => {
    const { provider, kind } = chosen;
    /** @type {Account} */
    const account = await ask('POST', '/integrated-accounts', {
      provider,
      name: String(fields.get('name')).trim(),
      credentials: credentialsFrom(provider, kind, fields),
    });
    location.hash = `#/accounts/${account.id}`;
  };
  /** @param {string} provider */
  const choose = (provider) => {
    Object.assign(chosen, { provider, kind: kindsOf(provider)[0] ?? '' });
    frame.redraw();
  };
  return {
    title: 'Accounts',
    everyMs: 10_000,
    load: readAccounts,
    /** @param {Account[]} accounts */
    view: (accounts) => html`
      ${table(
        accounts,
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
        ${form(
          frame,
          html`
            <label>Provider ${select(PROVIDERS, chosen.provider, choose)}</label>
            <label>Credentials ${select(kindsOf(chosen.provider), chosen.kind, (kind) => {
              chosen.kind = kind;
              frame.redraw();
            })}</label>
            <label>Name <input name="name" required autocomplete="off"></label>
            ${credentialFields(chosen.provider, chosen.kind)}`,
          'Connect',
          connect,
        )}
      </details>`,
  };
}

/** @param {string[]} options @param {string} chosen @param {(value: string) => void} choose */
export const select = (options, chosen, choose) => html`<select
  .value=${chosen}
  @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}
>${options.map((option) => html`<option value=${option} ?selected=${option === chosen}>${option}</option>`)}</select>`;
