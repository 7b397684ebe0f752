import { html, nothing } from 'lit-html';
import { ask, parseObject, post } from '../api.js';
import { number, pretty } from '../format.js';
import { action, badge, facts, form, link, problemBox, select, time } from '../parts.js';
import { credentialFields, credentialsFrom, kindsOf } from './credentials.js';

/** @import { Account, AccountCheck as Check, Frame, Place } from '../types.ts' */
/** @typedef {Account['settings']} Settings */
/**
 * @typedef {object} Own what the page knows beside the account
 * @property {string} [kind] of credentials that is chosen
 * @property {Check} [check] what the provider said, of the credentials there are
 * @property {Settings} [edited] the settings as they were when somebody began to change them
 */

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function accountPage({ id }, frame) {
  const path = `/integrated-accounts/${encodeURIComponent(id)}`;
  /** @type {Own} */
  const own = {};
  return {
    title: 'Account',
    everyMs: 3_000,
    /** @returns {Promise<Account>} */
    load: () => ask('GET', path),
    /** @param {Account} account */
    view: (account) => html`
      <p class="lead">${badge(account.status)} <strong>${account.name}</strong></p>
      ${known(account)}
      ${account.last_error ? problemBox(account.last_error, { isNews: false, at: account.last_error.at }) : nothing}
      ${account.status === 'deleting' ? html`<p>It is being deleted: jobs that have started are waited for.</p>` : controls(account, path, own, frame)}
      <section>
        <h2>Settings</h2>
        ${account.status === 'deleting' ? nothing : settingsEditor(account, path, own, frame)}
        <pre>${pretty(account.settings)}</pre>
      </section>`,
  };
}

/** @param {Account} account */
const known = ({ id, provider, queue, limits, created_at }) =>
  facts({
    Account: html`<code>${id}</code>`,
    Provider: provider,
    'Open jobs': `${number(queue.waiting)} ready, ${number(queue.running)} running, ${number(queue.delayed)} later`,
    Limit:
      limits.limit &&
      `${number(limits.limit)}${limits.remaining === null ? '' : `, ${number(limits.remaining)} left`}`,
    'Begins anew': limits.reset_at && time(limits.reset_at),
    'Blocked until': limits.blocked_until && time(limits.blocked_until),
    Connected: time(created_at),
    Jobs: link(`/jobs?integrated_account_id=${id}`, 'All of its jobs'),
  });

/** @param {Account} account @param {string} path @param {Own} own @param {Frame} frame */
function controls({ status, provider }, path, own, frame) {
  const kinds = kindsOf(provider);
  const kind = own.kind ?? kinds[0] ?? '';
  const check = async () => {
    own.check = undefined;
    own.check = await ask('POST', `${path}/check`);
    return undefined;
  };
  const replace = async (/** @type {FormData} */ fields, /** @type {HTMLFormElement} */ element) => {
    own.check = undefined;
    await ask('PUT', `${path}/credentials`, { credentials: credentialsFrom(provider, kind, fields) });
    element.reset();
    return { said: 'The credentials are replaced.' };
  };
  const paused = 'Paused: it goes on accepting, its jobs wait.';
  return html`
    <p class="buttons">
      ${action(frame, 'Try the credentials', check)}
      ${status === 'active' ? action(frame, 'Pause', post(`${path}/pause`, paused)) : nothing}
      ${status === 'active' ? nothing : action(frame, 'Resume', post(`${path}/resume`, 'Resumed.'), { kind: 'main' })}
    </p>
    ${own.check ? checked(own.check) : nothing}
    <section>
      <h2>Credentials</h2>
      <p class="small">They are never shown. New ones set an account going that needs them.</p>
      <details ?open=${status === 'needs_reauth'}>
        <summary>Replace them</summary>
        <label>Kind of credentials ${select(kinds, kind, (chosen) => {
          own.kind = chosen;
          frame.redraw();
        })}</label>
        ${form(frame, credentialFields(provider, kind), 'Replace', replace)}
      </details>
    </section>`;
}

/** @param {Account} account @param {string} path @param {Own} own @param {Frame} frame */
function settingsEditor({ settings }, path, own, frame) {
  const change = async (/** @type {FormData} */ fields, /** @type {HTMLFormElement} */ element) => {
    const wanted = parseObject('The settings', String(fields.get('settings')));
    const changes = changesOf(own.edited ?? settings, wanted);
    if (Object.keys(changes).length === 0) return { said: 'Nothing was changed.' };
    await ask('PATCH', path, { settings: changes });
    own.edited = undefined;
    element.reset();
    return { said: 'The settings are changed.' };
  };
  return html`<details>
    <summary>Change them</summary>
    ${form(
      frame,
      html`<label>Settings <textarea
        name="settings" rows="14" spellcheck="false"
        .defaultValue=${pretty(own.edited ?? settings)}
        @input=${() => {
          own.edited ??= settings;
        }}
      ></textarea></label>`,
      'Change',
      change,
    )}
  </details>`;
}

/**
 * What is to be asked for: named settings replace what they were, null takes one away, and what nobody touched is not named, since
 * somebody else may be changing it.
 * @param {Settings} before
 * @param {Settings} wanted
 */
function changesOf(before, wanted) {
  const changed = Object.entries(wanted).filter(([name, value]) => pretty(value) !== pretty(before[name]));
  const gone = Object.keys(before).filter((name) => !(name in wanted));
  return { ...Object.fromEntries(changed), ...Object.fromEntries(gone.map((name) => [name, null])) };
}

/** @param {Check} check */
const checked = ({ ok, checked_at, user, organisation, facts: found, marker, error }) => html`<section>
  <h2>What the provider says</h2>
  ${error ? problemBox(error, { isNews: false }) : nothing}
  ${facts({
    Credentials: credentialsOf(ok, error),
    'Calls run as': user,
    Organisation: organisation,
    Read: found && `${found.stages} stages, ${found.owners} owners, ${found.custom_fields} custom fields`,
    Marker: marker && (marker.ok ? `${marker.field} works` : `${marker.field}: ${marker.message}`),
    Asked: time(checked_at),
  })}
</section>`;

/** A provider that does not answer, and a marker that does not work, say nothing of them. @param {boolean} ok @param {Check['error']} error */
function credentialsOf(ok, error) {
  if (error?.code === 'account_needs_reauth') return 'refused';
  return ok || error === null ? 'good' : 'not known';
}
