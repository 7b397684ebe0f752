import { html, nothing } from 'lit-html';
import { words } from './format.js';
import { badge, link, table, time } from './parts.js';

/** @import { Job } from './types.ts' */

/**
 * @param {Job[]} jobs
 * @param {Map<string, string>} names of accounts
 * @param {string} empty
 */
export const jobTable = (jobs, names, empty) =>
  table(
    jobs,
    ({ id }) => id,
    {
      Opportunity: ({ id, request }) => link(`/jobs/${id}`, String(request.body.name ?? id)),
      Account: ({ integrated_account_id: id, provider }) =>
        html`${link(`/accounts/${id}`, names.get(id) ?? id)} <span class="small">${provider}</span>`,
      Status: ({ status, wait_reason }) =>
        html`${badge(status)}${wait_reason ? html` <span class="small">${words(wait_reason)}</span>` : nothing}`,
      'What came of it': (job) => outcomeOf(job),
      Accepted: ({ created_at }) => time(created_at),
      Ended: ({ finished_at }) => time(finished_at),
    },
    empty,
  );

/** @param {Job} job */
function outcomeOf({ error, result, next_attempt_at }) {
  if (error) return error.message;
  const id = remoteIdOf(result);
  if (id !== undefined) return html`<code>${id}</code>`;
  return next_attempt_at ? html`next attempt ${time(next_attempt_at)}` : '–';
}

/**
 * Id of the provider's record; undefined where the answer that was asked for has none.
 * @param {unknown} result
 */
export function remoteIdOf(result) {
  const { id, opportunity } = /** @type {{ id?: unknown, opportunity?: { id?: unknown } }} */ (result ?? {});
  // Capsule's raw answer has it a level below.
  const found = id ?? opportunity?.id;
  return found === undefined || found === null ? undefined : String(found);
}
