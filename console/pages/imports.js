import { html, nothing } from 'lit-html';
import { accountNames, ask, mistake, query as queryOf, send } from '../api.js';
import { number, pretty } from '../format.js';
import { badge, form, link, older, table, time } from '../parts.js';

/** @import { Frame, Import, List, Place } from '../types.ts' */
/** @typedef {{ list: List<Import>, names: Map<string, string> }} Shown */

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
  /** @type {{ file?: File, key?: string, report?: unknown }} */
  const own = {};
  const upload = async (/** @type {FormData} */ fields) => {
    const file = /** @type {File} */ (fields.get('file'));
    // The same file sent again after a lost answer is the same import.
    if (
      own.file?.name !== file.name ||
      own.file.size !== file.size ||
      own.file.lastModified !== file.lastModified
    ) {
      Object.assign(own, { file, key: crypto.randomUUID() });
    }
    own.report = undefined;
    const isTrial = fields.get('trial') !== null;
    const where = queryOf({
      integrated_account_id: String(fields.get('account')),
      dry_run: isTrial ? 'true' : undefined,
    });
    const answer = await send('POST', `/imports${where}`, {
      body: file,
      headers: { ...headersOf(file.name), ...(isTrial ? {} : { 'idempotency-key': String(own.key) }) },
    });
    const body = await answer.json();
    if (!isTrial) location.hash = `#/imports/${body.id}`;
    own.report = isTrial ? body : undefined;
  };
  return {
    title: 'Imports',
    everyMs: query.has('cursor') ? 0 : 3_000,
    async load() {
      /** @type {List<Import>} */
      const list = await ask('GET', `/imports${queryOf({ cursor: query.get('cursor') })}`);
      return { list, names: await accountNames() };
    },
    /** @param {Shown} shown */
    view: ({ list, names }) => html`
      ${table(
        list.data,
        {
          Import: ({ id, created_at }) => link(`/imports/${id}`, time(created_at)),
          Account: ({ integrated_account_id: id }) => link(`/accounts/${id}`, names.get(id) ?? id),
          Status: ({ status }) => badge(status),
          Rows: ({ counts }) => number(counts.total),
          Progress: (one) => progress(one),
          Failed: ({ counts }) => number(counts.failed),
          'Need review': ({ counts }) => number(counts.needs_review),
        },
        'Nothing was imported yet.',
      )}
      ${older('/imports', query, list.next_cursor)}
      <details>
        <summary>Import a file</summary>
        ${form(
          frame,
          html`
            <label>Account <select name="account" required>${[...names].map(([id, name]) => html`<option value=${id}>${name || id}</option>`)}</select></label>
            <label>File <input name="file" type="file" required accept=".csv,.ndjson,.jsonl,.json,.gz"></label>
            <label class="check"><input name="trial" type="checkbox" checked> Only look at it, write nothing</label>`,
          'Send',
          upload,
        )}
        ${own.report ? html`<pre>${pretty(own.report)}</pre>` : nothing}
      </details>`,
  };
}

/** By the endings of a file's name, as `deals.csv.gz`. @param {string} name @returns {Record<string, string>} */
function headersOf(name) {
  const endings = name.toLowerCase().split('.').slice(1);
  const isPacked = endings.at(-1) === 'gz';
  const type = TYPES[endings.at(isPacked ? -2 : -1) ?? ''];
  if (!type)
    throw mistake(
      `${name} does not say what it is: it must end in .csv, .ndjson or .json, with .gz after it if it is packed.`,
    );
  return { 'content-type': type, ...(isPacked ? { 'content-encoding': 'gzip' } : {}) };
}

/** Rows that have their result, of all. @param {Import} of */
export function progress({ counts: { total, queued, running } }) {
  const done = total - queued - running;
  return html`<progress max=${Math.max(total, 1)} value=${done} aria-label="Rows with a result">${done} of ${total}</progress>`;
}
