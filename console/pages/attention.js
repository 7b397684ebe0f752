import { html, nothing } from 'lit-html';
import { accountNames, ask, query, readAccounts, tried } from '../api.js';
import { words } from '../format.js';
import { badge, link, orProblem, table, time } from '../parts.js';
import { jobTable } from './job-table.js';

/** @import { Account, Endpoint, Job, List, Tried } from '../types.ts' */
/** @typedef {{ redis: string, memory: string, durability: { message: string | null }, worker: { seen: boolean } }} Readiness */
/**
 * @typedef {object} Shown
 * @property {Readiness | undefined} readiness
 * @property {Tried<List<Job>>} review
 * @property {Tried<List<Job>>} failed
 * @property {Tried<Account[]>} accounts
 * @property {Tried<List<Endpoint>>} hooks
 * @property {Map<string, string>} names of accounts
 */

const DAY_MS = 86_400_000;
const SHOWN = 20;

/** What does not go on by itself: each with the way to where it is put right. */
export function attentionPage() {
  return {
    title: 'Needs you',
    everyMs: 5_000,
    /** @returns {Promise<Shown>} */
    async load() {
      const since = new Date(Date.now() - DAY_MS).toISOString();
      /** @param {Record<string, string>} filter @returns {Promise<List<Job>>} */
      const jobs = (filter) => ask('GET', `/jobs${query({ ...filter, limit: SHOWN })}`);
      /** @type {Promise<List<Endpoint>>} */
      const endpoints = ask('GET', '/webhook-endpoints');
      const [readiness, review, failed, accounts, hooks, names] = await Promise.all([
        readReadiness(),
        tried(jobs({ status: 'needs_review' })),
        tried(jobs({ status: 'failed', created_after: since })),
        tried(readAccounts()),
        tried(endpoints),
        accountNames(),
      ]);
      return { readiness, review, failed, accounts, hooks, names };
    },
    /** @param {Shown} shown */
    view: ({ readiness, review, failed, accounts, hooks, names }) => html`
      ${troubles(readiness).map((trouble) => html`<p class="problem" role="alert">${trouble}</p>`)}
      <section>
        <h2>Written, or not?</h2>
        <p class="small">The provider may have these and could not be asked well enough. None is written again without your word.</p>
        ${orProblem(
          review,
          ({ data, next_cursor }) => html`
          ${jobTable(data, names, 'Nothing is in doubt.')}
          ${next_cursor ? link('/jobs?status=needs_review', 'All of them') : nothing}`,
        )}
      </section>
      <section>
        <h2>Accounts that stand still</h2>
        ${orProblem(accounts, (all) =>
          table(
            all.filter(({ status }) => status !== 'active'),
            {
              Account: ({ id, name }) => link(`/accounts/${id}`, name || id),
              Provider: ({ provider }) => provider,
              Status: ({ status }) => badge(status),
              'Waiting jobs': ({ queue }) => queue.waiting + queue.delayed,
              Why: ({ last_error }) => last_error?.message ?? '–',
            },
            'All accounts are active.',
          ),
        )}
      </section>
      <section>
        <h2>Failed in the last day</h2>
        ${orProblem(
          failed,
          ({ data, next_cursor }) => html`
          ${jobTable(data, names, 'None failed.')}
          ${next_cursor ? link('/jobs?status=failed', 'All of them') : nothing}`,
        )}
      </section>
      <section>
        <h2>Webhook endpoints that get nothing</h2>
        ${orProblem(hooks, ({ data }) =>
          table(
            data.filter(({ status }) => status === 'disabled'),
            {
              Endpoint: ({ id, url }) => link(`/webhooks/${id}`, url),
              Why: ({ disabled_reason }) => (disabled_reason ? words(disabled_reason) : '–'),
              Made: ({ created_at }) => time(created_at),
            },
            'All endpoints are enabled.',
          ),
        )}
      </section>`,
  };
}

/** `/readyz` answers 503 with the same body. @returns {Promise<Readiness | undefined>} */
async function readReadiness() {
  const answer = await fetch('/readyz').catch(() => undefined);
  return answer?.json().catch(() => undefined);
}

/** @param {Readiness | undefined} readiness */
function troubles(readiness) {
  if (!readiness) return ['The API does not say whether it is ready.'];
  const { redis, memory, durability, worker } = readiness;
  return [
    redis === 'unavailable' ? 'Redis does not answer: nothing is accepted.' : undefined,
    redis === 'not_durable'
      ? `Nothing is accepted: ${durability.message ?? 'Redis would not keep it.'}`
      : undefined,
    memory === 'full'
      ? 'Redis is nearly full: creates and imports are refused until there is room.'
      : undefined,
    worker.seen ? undefined : 'No worker was seen for a minute: what is accepted waits.',
  ].filter((trouble) => trouble !== undefined);
}
