import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { ask, knownAccounts, mistake, namesOf, Problem, queryOf, send } from '../api.js';
import { number, pretty } from '../format.js';
import { badge, form, link, pager, progress, table, time } from '../parts.js';
import { forget, keyOf, nameOf } from '../uploads.js';

/** @import { Account, Frame, Import, List, Place } from '../types.ts' */
/** @typedef {{ list: List<Import>, accounts: Account[] }} Shown */

/** @type {Record<string, string>} */
const TYPES = {
  csv: 'text/csv',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  jsonl: 'application/x-ndjson',
};

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function importsPage({ query }, frame) {
  /** @type {{ report?: { of: string, found: unknown } }} */
  const own = {};
  const dropReport = () => {
    own.report = undefined;
    frame.redraw();
  };
  const upload = async (/** @type {FormData} */ fields) => {
    const file = /** @type {File} */ (fields.get('file'));
    const account = String(fields.get('account'));
    if (fields.get('trial') === null) {
      const { id, isReplay } = await importOnce(account, file);
      return {
        goTo: `#/imports/${id}`,
        said: isReplay ? 'It was taken before: this is its import.' : undefined,
      };
    }
    const answer = await sendFile(account, file, { dry_run: 'true' }, {});
    own.report = { of: file.name, found: await answer.json() };
    return { said: `${file.name} was looked at; nothing is written.` };
  };
  return {
    title: 'Imports',
    everyMs: query.has('cursor') ? 0 : 3_000,
    async load() {
      /** @type {List<Import>} */
      const list = await ask('GET', `/imports${queryOf({ cursor: query.get('cursor') })}`);
      return { list, accounts: await knownAccounts() };
    },
    /** @param {Shown} shown */
    view: ({ list, accounts }) => {
      const names = namesOf(accounts);
      return html`
        ${table(
          list.data,
          ({ id }) => id,
          {
            Import: ({ id, created_at }) => link(`/imports/${id}`, time(created_at)),
            Account: ({ integrated_account_id: id }) => link(`/accounts/${id}`, names.get(id) ?? id),
            Status: ({ status }) => badge(status),
            Rows: ({ counts }) => number(counts.total),
            Progress: (one) => progress(one),
            Failed: ({ counts }) => number(counts.failed),
            'In doubt': ({ counts }) => number(counts.needs_review),
          },
          'Nothing was imported yet.',
        )}
        ${pager('/imports', query, list.next_cursor)}
        <details @change=${dropReport}>
          <summary>Import a file</summary>
          ${form(
            frame,
            html`
              <label>Account ${accountField(accounts)}</label>
              <label>File <input name="file" type="file" required accept=".csv,.ndjson,.jsonl,.json,.gz"></label>
              <label class="check"><input name="trial" type="checkbox" checked> Only look at it, write nothing</label>`,
            'Send',
            upload,
          )}
          ${own.report ? html`<p>What was found in ${own.report.of}:</p><pre>${pretty(own.report.found)}</pre>` : nothing}
        </details>`;
    },
  };
}

/** Nothing is chosen before somebody chooses. A token that may not read accounts names one by its id. @param {Account[]} accounts */
const accountField = (accounts) =>
  accounts.length === 0
    ? html`<input name="account" required placeholder="id" spellcheck="false">`
    : html`<select name="account" required><option value="">choose one</option>${repeat(
        accounts.filter(({ status }) => status !== 'deleting'),
        ({ id }) => id,
        ({ id, name }) => html`<option value=${id}>${name || id}</option>`,
      )}</select>`;

/**
 * Sends a file so that it is one import, however often it takes. The key is kept until the API has said what became of it: a
 * refusal in between (a limit, a token that has expired) says nothing of a request before it whose answer was lost.
 * @param {string} account
 * @param {File} file
 * @returns {Promise<{ id: string, isReplay: boolean }>}
 */
async function importOnce(account, file) {
  const upload = nameOf(account, file);
  try {
    const answer = await sendFile(account, file, {}, { 'idempotency-key': keyOf(upload) });
    const { id } = await answer.json();
    forget(upload);
    return { id, isReplay: answer.headers.get('idempotency-replayed') === 'true' };
  } catch (err) {
    if (err instanceof Problem && err.code === 'idempotency_key_reused') forget(upload);
    throw err;
  }
}

/** @param {string} account @param {File} file @param {Record<string, string>} options @param {Record<string, string>} headers */
async function sendFile(account, file, options, headers) {
  const type = typeOf(file.name);
  await file
    .slice(0, 1)
    .arrayBuffer()
    .catch(() => {
      throw mistake(`${file.name} was changed or moved since you chose it; choose it again.`);
    });
  return send('POST', `/imports${queryOf({ integrated_account_id: account, ...options })}`, {
    body: file,
    headers: { ...headers, 'content-type': type },
  });
}

/** By the endings of a file's name; a packed one is known by its content. @param {string} name */
function typeOf(name) {
  const ending = /\.(\w+)(?:\.gz)?$/.exec(name.toLowerCase())?.[1] ?? '';
  const type = TYPES[ending];
  if (!type)
    throw mistake(`${name} must end in .csv, .ndjson, .jsonl or .json, with .gz after it if it is packed.`);
  return type;
}
