import { html, nothing } from 'lit-html';
import { accountNames, ask, Problem, parseObject, post } from '../api.js';
import { duration, pretty, safeUrl, words } from '../format.js';
import { remoteIdOf } from '../job-table.js';
import { action, badge, facts, form, json, link, problemBox, table, time } from '../parts.js';

/** @import { Frame, Job, Place } from '../types.ts' */
/** @typedef {{ job: Job, names: Map<string, string> }} Shown */

/**
 * One job: what was asked, every attempt, and what a person may do about it.
 * @param {Place} place
 * @param {Frame} frame
 */
export function jobPage({ id }, frame) {
  return {
    title: 'Job',
    everyMs: 2_000,
    /** @returns {Promise<Shown>} */
    async load() {
      const [job, names] = await Promise.all([
        /** @type {Promise<Job>} */ (ask('GET', `/jobs/${encodeURIComponent(id)}`)),
        accountNames(),
      ]);
      return { job, names };
    },
    /** @param {Shown} shown */
    view: ({ job, names }) => html`
      <p class="lead">${badge(job.status)} <strong>${job.request.body.name ?? ''}</strong></p>
      ${known(job, names)}
      ${job.status === 'needs_review' ? decision(job, frame) : whyFailed(job)}
      ${buttons(job, frame)}
      ${job.import_id === null ? nothing : html`<p>A row of ${link(`/imports/${job.import_id}`, 'its import')}, by which it is paused, cancelled and tried again.</p>`}
      ${
        job.warnings.length === 0
          ? nothing
          : html`<section><h2>Warnings</h2><ul>${job.warnings.map(
              ({ pointer, message }) =>
                html`<li>${pointer ? html`<code>${pointer}</code> ` : nothing}${message}</li>`,
            )}</ul></section>`
      }
      <section><h2>Attempts</h2>${attempts(job)}</section>
      <section>
        <h2>What was asked, and what came of it</h2>
        ${json('Body', job.request.body, true)}
        ${json('Options', job.request.query)}
        ${Object.keys(job.applied_defaults).length === 0 ? nothing : json('Filled in from the account', job.applied_defaults)}
        ${job.result === null ? nothing : json('Result', job.result, true)}
      </section>`,
  };
}

/** @param {Job} job @param {Map<string, string>} names */
function known(job, names) {
  const record = remoteIdOf(job.result);
  const { integrated_account_id: account, import_id, idempotency_key } = job;
  return facts({
    Job: html`<code>${job.id}</code>`,
    Account: link(`/accounts/${account}`, names.get(account) ?? account),
    Provider: job.provider,
    Record: record && html`<code>${record}</code>`,
    'Waits for': job.wait_reason && words(job.wait_reason),
    'Next attempt': job.next_attempt_at && time(job.next_attempt_at),
    Accepted: time(job.created_at),
    Ended: job.finished_at && time(job.finished_at),
    Import: import_id && link(`/imports/${import_id}`, import_id),
    'Idempotency key': idempotency_key && html`<code>${idempotency_key}</code>`,
  });
}

/** @param {Job} job */
const whyFailed = ({ error, finished_at }) =>
  error ? problemBox(new Problem(error), { isNews: false, at: finished_at }) : nothing;

/** @param {Job} job */
const attempts = ({ attempts: all, import_id }) =>
  table(
    all,
    ({ number }) => number,
    {
      No: ({ number }) => number,
      Began: ({ started_at }) => time(started_at),
      Took: ({ duration_ms }) => (duration_ms === null ? '–' : duration(duration_ms)),
      Outcome: ({ outcome }) => (outcome ? badge(outcome) : 'under way'),
      Status: ({ http_status }) => http_status ?? '–',
      'What was said': ({ message, code, request, response }) => html`${message ?? code ?? '–'}
        ${request === undefined ? nothing : json('Request', request)}
        ${response === undefined ? nothing : json('Answer', response)}`,
    },
    import_id === null ? 'None yet.' : 'None that is kept: of a row that has ended its result stays.',
  );

/** Only a person may end this doubt. @param {Job} job @param {Frame} frame */
function decision({ id, error, candidates = [] }, frame) {
  const path = `/jobs/${id}/resolve`;
  const adopt = (/** @type {string} */ remote_id) => post(path, `Taken over: ${remote_id}.`, { remote_id });
  const sure = (/** @type {string} */ remoteId) => `Take over ${remoteId} as the record of this job?`;
  const typed = (/** @type {FormData} */ fields) => String(fields.get('remote_id')).trim();
  return html`<section class="decision">
    <h2>Was it written?</h2>
    <p>${error?.message} Look there, then say which it is.</p>
    ${table(
      candidates,
      ({ remote_id }) => remote_id,
      {
        Record: ({ remote_id, url }) => {
          const href = safeUrl(url);
          return href
            ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${remote_id}</a>`
            : remote_id;
        },
        'Why it may be the one': ({ why }) => why,
        '': ({ remote_id }) =>
          action(frame, `Take over ${remote_id}`, adopt(remote_id), { sure: sure(remote_id) }),
      },
      'No record is known that could be it.',
    )}
    ${form(
      frame,
      html`<label>It is the record <input name="remote_id" required placeholder="id at the provider" spellcheck="false"></label>`,
      'Take it over',
      (fields) => adopt(typed(fields))(),
      (fields) => sure(typed(fields)),
    )}
    ${action(frame, 'It is not there: write it', post(path, 'Queued again.', { not_created: true }), {
      kind: 'danger',
      sure: 'Write it now? If the record is there after all, there will be two.',
    })}
  </section>`;
}

/** @param {Job} job @param {Frame} frame */
function buttons({ id, status, import_id, attempts: begun, warnings, request }, frame) {
  const path = `/jobs/${id}`;
  // Rows are cancelled and tried again by their import.
  const isSingle = import_id === null;
  const mayCancel = isSingle && (status === 'queued' || status === 'waiting') && begun.length === 0;
  const mayRetry = isSingle && (status === 'failed' || status === 'cancelled');
  const isUnfinished = status === 'succeeded' && warnings.some(({ code }) => code === 'follow_up_failed');
  return html`
    <p class="buttons">
      ${mayCancel ? action(frame, 'Cancel', post(`${path}/cancel`, 'Cancelled.')) : nothing}
      ${isUnfinished ? action(frame, 'Repeat what is missing', post(`${path}/retry-follow-ups`, 'Queued again.')) : nothing}
      ${mayRetry ? action(frame, 'Retry as it is', post(`${path}/retry`, 'Queued again.'), { kind: 'main' }) : nothing}
    </p>
    ${mayRetry ? correction(path, request.body, frame) : nothing}`;
}

/** @param {string} path @param {Record<string, unknown>} body @param {Frame} frame */
const correction = (path, body, frame) => html`<details>
  <summary>Correct it first</summary>
  ${form(
    frame,
    html`<label>Body <textarea name="body" rows="14" spellcheck="false" .defaultValue=${pretty(body)}></textarea></label>`,
    'Retry with this body',
    async (fields) => {
      const corrected = parseObject('The body', String(fields.get('body')));
      return post(`${path}/retry`, 'Queued again, corrected.', { body: corrected })();
    },
  )}
</details>`;
