import { html } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { accountNames, askPage, queryOf } from '../api.js';
import { words } from '../format.js';
import { jobTable } from '../job-table.js';
import { pager } from '../parts.js';

/** @import { Job, List, Place } from '../types.ts' */
/** @typedef {{ list: List<Job>, names: Map<string, string> }} Shown */

const STATUSES = ['needs_review', 'failed', 'waiting', 'queued', 'running', 'succeeded', 'cancelled'];
const FILTERS = ['status', 'integrated_account_id', 'import_id', 'idempotency_key'];

/** @param {Place} place */
export function jobsPage({ query }) {
  return {
    title: 'Jobs',
    // An older page does not change by itself, and rows are looked for through their whole import.
    everyMs: query.has('cursor') ? 0 : query.has('import_id') ? 10_000 : 3_000,
    /** @returns {Promise<Shown>} */
    async load() {
      const asked = Object.fromEntries([...FILTERS, 'cursor'].map((name) => [name, query.get(name)]));
      const [list, names] = await Promise.all([
        /** @type {Promise<List<Job>>} */ (askPage('/jobs', asked)),
        accountNames(),
      ]);
      return { list, names };
    },
    /** @param {Shown} shown */
    view: ({ list, names }) => html`
      <form class="filters" @submit=${filter}>
        <label>Status <select name="status">
          <option value="">any</option>
          ${STATUSES.map((status) => html`<option value=${status} ?selected=${query.get('status') === status}>${words(status)}</option>`)}
        </select></label>
        <label>Account <select name="integrated_account_id">
          <option value="">any</option>
          ${repeat(
            withAsked(names, query.get('integrated_account_id')),
            ([id]) => id,
            ([id, name]) =>
              html`<option value=${id} ?selected=${query.get('integrated_account_id') === id}>${name}</option>`,
          )}
        </select></label>
        <label>Import <input name="import_id" placeholder="id" .defaultValue=${query.get('import_id') ?? ''} spellcheck="false"></label>
        <label>Idempotency key <input name="idempotency_key" .defaultValue=${query.get('idempotency_key') ?? ''} spellcheck="false"></label>
        <button type="submit" class="main">Show</button>
      </form>
      ${jobTable(list.data, names, list.next_cursor ? 'None among those that were looked at; there are older ones.' : 'No jobs like that. Rows of an import are listed by its id.')}
      ${pager('/jobs', query, list.next_cursor)}`,
  };
}

/**
 * The accounts to choose from: what is asked for stays so where its name is not known.
 * @param {Map<string, string>} names
 * @param {string | null} asked
 */
const withAsked = (names, asked) => [
  ...names,
  ...(asked && !names.has(asked) ? [/** @type {const} */ ([asked, asked])] : []),
];

/** @param {SubmitEvent} event */
function filter(event) {
  event.preventDefault();
  const fields = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
  location.hash = `#/jobs${queryOf(Object.fromEntries(FILTERS.map((name) => [name, String(fields.get(name) ?? '').trim()])))}`;
}
