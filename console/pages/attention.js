import { html, nothing } from 'lit-html';
import { ask, askPage, namesOf, queryOf, readAccounts, tried } from '../api.js';
import { number, words } from '../format.js';
import { jobTable } from '../job-table.js';
import { badge, link, orProblem, table, time } from '../parts.js';

/** @import { Account, Endpoint, Import, Job, List, Tried } from '../types.ts' */
/** @typedef {{ redis: string, memory: string, durability: { message: string | null }, worker: { seen: boolean } }} Readiness */
/**
 * @typedef {object} Shown
 * @property {Partial<Readiness> | undefined} readiness
 * @property {Tried<List<Job>>} review
 * @property {Tried<List<Job>>} failed
 * @property {Tried<List<Import>>} imports
 * @property {Tried<Account[]>} accounts
 * @property {Tried<List<Endpoint>>} hooks
 */

const DAY_MS = 86_400_000;
const SHOWN = 20;
/** Looked at for what failed or is in doubt: the longest page there is. */
const LOOKED_AT = 200;

/** What does not go on by itself: each with the way to where it is put right. */
export function attentionPage() {
  return {
    title: 'Needs you',
    everyMs: 5_000,
    /** @returns {Promise<Shown>} */
    async load() {
      /** @param {Record<string, string | number>} filter @returns {Promise<List<Job>>} */
      const jobs = (filter) => askPage('/jobs', filter);
      /** @type {Promise<List<Import>>} */
      const newest = ask('GET', `/imports${queryOf({ limit: LOOKED_AT })}`);
      /** @type {Promise<List<Endpoint>>} */
      const endpoints = ask('GET', '/webhook-endpoints');
      const [readiness, review, failed, imports, accounts, hooks] = await Promise.all([
        readReadiness(),
        tried(jobs({ status: 'needs_review', limit: SHOWN })),
        tried(jobs({ status: 'failed', limit: LOOKED_AT })),
        tried(newest),
        tried(readAccounts()),
        tried(endpoints),
      ]);
      return { readiness, review, failed, imports, accounts, hooks };
    },
    /** @param {Shown} shown */
    view: ({ readiness, review, failed, imports, accounts, hooks }) => {
      const all = 'value' in accounts ? accounts.value : [];
      const names = namesOf(all);
      return html`
        ${troubles(readiness).map((trouble) => html`<p class="problem" role="alert">${trouble}</p>`)}
        <section>
          <h2>Written, or not?</h2>
          <p class="small">The provider may have these and could not be asked well enough. None is written again without your word.</p>
          ${orProblem(review, (list) => inDoubt(list, names))}
          ${orProblem(imports, (list) => doubtfulImports(list, names))}
        </section>
        <section>
          <h2>Accounts that stand still</h2>
          ${orProblem(accounts, standingStill)}
        </section>
        <section>
          <h2>Failed in the last day</h2>
          ${orProblem(failed, (list) => lately(list, names))}
          ${orProblem(imports, (list) => failedImports(list, names))}
        </section>
        <section>
          <h2>Webhook endpoints that get nothing</h2>
          ${orProblem(hooks, disabled)}
        </section>`;
    },
  };
}

/**
 * @param {List<Job>} list
 * @param {Map<string, string>} names
 */
const inDoubt = ({ data, next_cursor }, names) => html`
  ${jobTable(data, names, next_cursor ? 'No single create among the newest doubts.' : 'No single create is in doubt.')}
  ${next_cursor ? link('/jobs?status=needs_review', 'All of them') : nothing}`;

/**
 * @param {List<Import>} list
 * @param {Map<string, string>} names
 */
const doubtfulImports = ({ data, next_cursor }, names) => html`
  ${table(
    data.filter(({ counts }) => counts.needs_review > 0),
    ({ id }) => id,
    {
      ...importColumns(names),
      'Rows in doubt': ({ id, counts }) =>
        link(`/jobs?import_id=${id}&status=needs_review`, number(counts.needs_review)),
    },
    'No import has a row in doubt.',
  )}
  ${next_cursor ? html`<p class="small">Of the newest ${LOOKED_AT} imports; ${link('/imports', 'the others')} were not looked at.</p>` : nothing}`;

/**
 * Those that ended by themselves, as by too many errors.
 * @param {List<Import>} list
 * @param {Map<string, string>} names
 */
function failedImports({ data }, names) {
  const failed = data.filter(({ status, finished_at }) => status === 'failed' && isLately(finished_at));
  const columns = {
    ...importColumns(names),
    Why: (/** @type {Import} */ { error }) => error?.message ?? '–',
  };
  return failed.length === 0 ? nothing : table(failed, ({ id }) => id, columns, '');
}

/**
 * @param {Map<string, string>} names
 * @returns {Record<string, (one: Import) => unknown>}
 */
const importColumns = (names) => ({
  Import: ({ id, created_at }) => link(`/imports/${id}`, html`of ${time(created_at)}`),
  Account: ({ integrated_account_id: id }) => link(`/accounts/${id}`, names.get(id) ?? id),
  Status: ({ status }) => badge(status),
});

/** @param {Account[]} accounts */
const standingStill = (accounts) =>
  table(
    accounts.filter(({ status }) => status === 'paused' || status === 'needs_reauth'),
    ({ id }) => id,
    {
      Account: ({ id, name }) => link(`/accounts/${id}`, name || id),
      Provider: ({ provider }) => provider,
      Status: ({ status }) => badge(status),
      'Waiting jobs': ({ queue }) => number(queue.waiting + queue.delayed),
      Why: ({ status, last_error }) =>
        status === 'paused' ? 'paused by somebody' : (last_error?.message ?? '–'),
    },
    'None does.',
  );

/** By when it ended: what gave up after a day was accepted before that day. @param {string | null} iso */
const isLately = (iso) => iso !== null && Date.parse(iso) >= Date.now() - DAY_MS;

/**
 * @param {List<Job>} list
 * @param {Map<string, string>} names
 */
function lately({ data, next_cursor }, names) {
  const recent = data.filter(({ finished_at }) => isLately(finished_at));
  const isMore = next_cursor !== null || recent.length > SHOWN;
  return html`
    ${jobTable(recent.slice(0, SHOWN), names, isMore ? `None of the newest ${LOOKED_AT}.` : 'No single create did.')}
    ${isMore ? link('/jobs?status=failed', 'All that failed') : nothing}`;
}

/** @param {List<Endpoint>} list */
const disabled = ({ data }) =>
  table(
    data.filter(({ status }) => status === 'disabled'),
    ({ id }) => id,
    {
      Endpoint: ({ id, url }) => link(`/webhooks/${id}`, url),
      Why: ({ disabled_reason }) => (disabled_reason ? words(disabled_reason) : '–'),
      Made: ({ created_at }) => time(created_at),
    },
    'All endpoints are enabled.',
  );

/** `/readyz` says it with 200 and with 503; what else may come has no `worker`. @returns {Promise<Partial<Readiness> | undefined>} */
async function readReadiness() {
  const answer = await fetch('/readyz', { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  return answer?.json().catch(() => undefined);
}

/** @param {Partial<Readiness> | undefined} readiness */
function troubles({ redis, memory, durability, worker } = {}) {
  if (!worker) return ['The API does not say whether it is ready.'];
  return [
    redis === 'unavailable' ? 'Redis does not answer: nothing is accepted.' : undefined,
    redis === 'not_durable'
      ? `Nothing is accepted: ${durability?.message ?? 'Redis would not keep it.'}`
      : undefined,
    memory === 'full'
      ? 'Redis is nearly full: creates and imports are refused until there is room.'
      : undefined,
    redis === 'ok' && !worker.seen ? 'No worker was seen for a minute: what is accepted waits.' : undefined,
  ].filter((trouble) => trouble !== undefined);
}
