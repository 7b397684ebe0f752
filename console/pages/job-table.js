import { html, nothing } from 'lit-html';
import { words } from '../format.js';
import { badge, link, table, time } from '../parts.js';

/** @import { Job } from '../types.ts' */

/**
 * @param {Job[]} jobs
 * @param {Map<string, string>} names of accounts
 * @param {string} empty
 */
export const jobTable = (jobs, names, empty) =>
  table(
    jobs,
    {
      Opportunity: ({ id, request }) => link(`/jobs/${id}`, String(request.body.name ?? id)),
      Account: ({ integrated_account_id: id, provider }) =>
        html`${link(`/accounts/${id}`, names.get(id) ?? id)} <span class="small">${provider}</span>`,
      Status: ({ status, wait_reason }) =>
        html`${badge(status)}${wait_reason ? html` <span class="small">${words(wait_reason)}</span>` : nothing}`,
      Attempts: ({ attempts }) => attempts.at(-1)?.number ?? 0,
      'What came of it': (job) => outcomeOf(job),
      Accepted: ({ created_at }) => time(created_at),
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

/** Id of the provider's record, in whatever format the answer was asked for. @param {unknown} result */
export function remoteIdOf(result) {
  if (typeof result !== 'object' || result === null) return undefined;
  // Salesforce, Close and unified answers have it at the top, Capsule's raw one a level below.
  for (const part of [result, ...Object.values(result)]) {
    if (typeof part === 'object' && part !== null && 'id' in part) return String(part.id);
  }
  return undefined;
}
