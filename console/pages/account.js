import { html, nothing } from 'lit-html';
import { ask, parseJson } from '../api.js';
import { number, pretty } from '../format.js';
import { action, badge, facts, form, link, problemBox, time } from '../parts.js';
import { select } from './accounts.js';
import { credentialFields, credentialsFrom, kindsOf } from './credentials.js';

/** @import { Account, AccountCheck as Check, Frame, Place } from '../types.ts' */

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function accountPage({ id }, frame) {
  const path = `/integrated-accounts/${encodeURIComponent(id)}`;
  /** @type {{ kind?: string, check?: Check }} */
  const own = {};
  /** @param {string} verb @param {string} said */
  const post = (verb, said) => async () => {
    await ask('POST', `${path}/${verb}`);
    return said;
  };
  const check = async () => {
    own.check = await ask('POST', `${path}/check`);
  };
  /** @param {Account} account @param {FormData} fields */
  const changeSettings = async ({ settings }, fields) => {
    /** @type {Record<string, unknown>} */
    const wanted = parseJson('The settings', String(fields.get('settings')));
    // Named settings replace what they were, null takes one away; the others stay.
    const gone = Object.keys(settings).filter((name) => !(name in wanted));
    const change = { ...wanted, ...Object.fromEntries(gone.map((name) => [name, null])) };
    await ask('PATCH', path, { settings: change });
    return 'The settings are changed.';
  };
  /** @param {Account} account @param {string} kind @param {FormData} fields @param {HTMLFormElement} element */
  const replaceCredentials = async ({ provider }, kind, fields, element) => {
    await ask('PUT', `${path}/credentials`, { credentials: credentialsFrom(provider, kind, fields) });
    element.reset();
    return 'The credentials are replaced.';
  };
  return {
    title: 'Account',
    everyMs: 3_000,
    /** @returns {Promise<Account>} */
    load: () => ask('GET', path),
    /** @param {Account} account */
    view: (account) => {
      const { status, queue, limits, last_error, provider } = account;
      const kinds = kindsOf(provider);
      const kind = own.kind ?? kinds[0] ?? '';
      return html`
        <p class="lead">${badge(status)} <strong>${account.name}</strong></p>
        ${facts({
          Account: html`<code>${account.id}</code>`,
          Provider: provider,
          'Open jobs': `${number(queue.waiting)} ready, ${number(queue.running)} running, ${number(queue.delayed)} later`,
          Limit:
            limits.limit &&
            `${number(limits.limit)}${limits.remaining === null ? '' : `, ${number(limits.remaining)} left`}`,
          'Begins anew': limits.reset_at && time(limits.reset_at),
          'Blocked until': limits.blocked_until && time(limits.blocked_until),
          Connected: time(account.created_at),
          Jobs: link(`/jobs?integrated_account_id=${account.id}`, 'All of its jobs'),
        })}
        ${last_error ? problemBox(last_error) : nothing}
        <p class="buttons">
          ${action(frame, 'Try the credentials', check)}
          ${status === 'active' ? action(frame, 'Pause', post('pause', 'Paused: it goes on accepting, its jobs wait.')) : nothing}
          ${status === 'paused' || status === 'needs_reauth' ? action(frame, 'Resume', post('resume', 'Resumed.'), { kind: 'main' }) : nothing}
        </p>
        ${own.check ? checked(own.check) : nothing}
        <section>
          <h2>Credentials</h2>
          <p class="small">They are never shown. New ones set an account going that needs them.</p>
          <details ?open=${status === 'needs_reauth'}><summary>Replace them</summary>
            <label>Kind ${select(kinds, kind, (chosen) => {
              own.kind = chosen;
              frame.redraw();
            })}</label>
            ${form(frame, credentialFields(provider, kind), 'Replace', (fields, element) => replaceCredentials(account, kind, fields, element))}
          </details>
        </section>
        <section>
          <h2>Settings</h2>
          <details><summary>Change them</summary>${form(
            frame,
            html`<label>Settings <textarea name="settings" rows="14" spellcheck="false" .defaultValue=${pretty(account.settings) ?? ''}></textarea></label>`,
            'Change',
            (fields) => changeSettings(account, fields),
          )}</details>
          <pre>${pretty(account.settings)}</pre>
        </section>`;
    },
  };
}

/** @param {Check} check */
const checked = ({ ok, user, organisation, facts: found, marker, error }) => html`<section>
  <h2>What the provider says</h2>
  ${error ? problemBox(error) : nothing}
  ${facts({
    Credentials: ok ? 'good' : 'refused',
    'Calls run as': user,
    Organisation: organisation,
    Read: found && `${found.stages} stages, ${found.owners} owners, ${found.custom_fields} custom fields`,
    Marker: marker && (marker.ok ? `${marker.field} works` : `${marker.field}: ${marker.message}`),
  })}
</section>`;
