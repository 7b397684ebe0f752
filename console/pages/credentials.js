import { html } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';

/**
 * What each provider takes, as the API's document says.
 * @type {Record<string, Record<string, { required: string[], optional?: string[] }>>}
 */
const KINDS = {
  salesforce: {
    oauth2_refresh_token: {
      required: ['instance_url', 'client_id', 'refresh_token'],
      optional: ['client_secret', 'access_token', 'login_url'],
    },
    oauth2_client_credentials: { required: ['instance_url', 'client_id', 'client_secret'] },
    jwt_bearer: { required: ['login_url', 'client_id', 'username', 'private_key'] },
  },
  close: {
    api_key: { required: ['api_key'], optional: ['base_url'] },
    oauth2_refresh_token: {
      required: ['client_id', 'client_secret', 'refresh_token'],
      optional: ['base_url', 'token_url'],
    },
  },
  capsule: {
    personal_access_token: { required: ['token'], optional: ['base_url'] },
    oauth2_refresh_token: {
      required: ['client_id', 'client_secret', 'refresh_token'],
      optional: ['base_url', 'token_url'],
    },
  },
};

export const PROVIDERS = Object.keys(KINDS);

/** @param {string} provider */
export const kindsOf = (provider) => Object.keys(KINDS[provider] ?? {});

const isSecret = (/** @type {string} */ name) => /secret|token$|key$/.test(name);

/** Fields for one kind of credentials, and for no other: what was typed for one must not be shown as another's. @param {string} provider @param {string} kind */
export function credentialFields(provider, kind) {
  const { required = [], optional = [] } = KINDS[provider]?.[kind] ?? {};
  const fields = [...required, ...optional].map((name) => {
    const isRequired = required.includes(name);
    const control =
      name === 'private_key'
        ? html`<textarea name=${name} rows="6" autocomplete="off" spellcheck="false" ?required=${isRequired}></textarea>`
        : html`<input name=${name} type=${isSecret(name) ? 'password' : 'text'} autocomplete=${isSecret(name) ? 'new-password' : 'off'} spellcheck="false" ?required=${isRequired}>`;
    return html`<label><span><code>${name}</code>${isRequired ? '' : ' (optional)'}</span> ${control}</label>`;
  });
  return keyed(`${provider} ${kind}`, html`${fields}`);
}

/**
 * What was typed into {@link credentialFields}.
 * @param {string} provider
 * @param {string} kind
 * @param {FormData} fields
 */
export function credentialsFrom(provider, kind, fields) {
  const { required = [], optional = [] } = KINDS[provider]?.[kind] ?? {};
  const given = [...required, ...optional].map(
    (name) => /** @type {const} */ ([name, String(fields.get(name) ?? '').trim()]),
  );
  return { type: kind, ...Object.fromEntries(given.filter(([, value]) => value !== '')) };
}
