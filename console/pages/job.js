import { html, nothing } from 'lit-html';
import { accountNames, ask, parseJson } from '../api.js';
import { duration, pretty, safeUrl, words } from '../format.js';
import { action, badge, facts, form, json, link, problemBox, table, time } from '../parts.js';
import { remoteIdOf } from './job-table.js';

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
      ${facts({
        Job: html`<code>${job.id}</code>`,
        Account: link(
          `/accounts/${job.integrated_account_id}`,
          names.get(job.integrated_account_id) ?? job.integrated_account_id,
        ),
        Provider: job.provider,
        Record: remoteIdOf(job.result) && html`<code>${remoteIdOf(job.result)}</code>`,
        'Waits for': job.wait_reason && words(job.wait_reason),
        'Next attempt': job.next_attempt_at && time(job.next_attempt_at),
        Accepted: time(job.created_at),
        Ended: job.finished_at && time(job.finished_at),
        Import: job.import_id && link(`/imports/${job.import_id}`, job.import_id),
        'Idempotency key': job.idempotency_key && html`<code>${job.idempotency_key}</code>`,
      })}
      ${job.status === 'needs_review' ? decision(job, frame) : whyFailed(job)}
      ${buttons(job, frame)}
      ${
        job.warnings.length === 0
          ? nothing
          : html`<section><h2>Warnings</h2><ul>${job.warnings.map(
              ({ pointer, message }) =>
                html`<li>${pointer ? html`<code>${pointer}</code> ` : nothing}${message}</li>`,
            )}</ul></section>`
      }
      <section>
        <h2>Attempts</h2>
        ${table(
          job.attempts,
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
          'None yet.',
        )}
      </section>
      <section>
        <h2>What was asked, and what came of it</h2>
        ${json('Body', job.request.body, true)}
        ${json('Options', job.request.query)}
        ${Object.keys(job.applied_defaults).length === 0 ? nothing : json('Filled in from the account', job.applied_defaults)}
        ${job.result === null ? nothing : json('Result', job.result, true)}
      </section>`,
  };
}

/** @param {Job} job */
const whyFailed = ({ error }) =>
  error ? problemBox({ ...error, failures: error.details?.failures, requestId: error.request_id }) : nothing;

/** Only a person may end this doubt. @param {Job} job @param {Frame} frame */
function decision(job, frame) {
  /** @param {object} resolution @param {string} said */
  const resolve = async (resolution, said) => {
    await ask('POST', `/jobs/${job.id}/resolve`, resolution);
    return said;
  };
  /** @param {string} remoteId */
  const adopt = (remoteId) => resolve({ remote_id: remoteId }, 'Taken over: the job has its record.');
  return html`<section class="decision">
    <h2>Was it written?</h2>
    <p>${job.error?.message} Look there, then say which it is.</p>
    ${table(
      job.candidates ?? [],
      {
        Record: ({ remote_id, url }) => {
          const href = safeUrl(url);
          return href
            ? html`<a href=${href} target="_blank" rel="noopener noreferrer">${remote_id}</a>`
            : remote_id;
        },
        'Why it may be the one': ({ why }) => why,
        '': ({ remote_id }) => action(frame, 'It is this one', () => adopt(remote_id)),
      },
      'No record is known that could be it.',
    )}
    ${form(
      frame,
      html`<label>It is the record <input name="remote_id" required placeholder="id at the provider" spellcheck="false"></label>`,
      'Take it over',
      (fields) => adopt(String(fields.get('remote_id')).trim()),
    )}
    ${action(frame, 'It is not there: write it', () => resolve({ not_created: true }, 'Queued again.'), {
      kind: 'danger',
      sure: 'Write it now? If the record is there after all, there will be two.',
    })}
  </section>`;
}

/** @param {Job} job @param {Frame} frame */
function buttons(job, frame) {
  /** @param {string} verb @param {string} said @param {unknown} [body] */
  const post = (verb, said, body) => async () => {
    await ask('POST', `/jobs/${job.id}/${verb}`, body);
    return said;
  };
  const mayCancel = (job.status === 'queued' || job.status === 'waiting') && job.attempts.length === 0;
  const mayRetry = job.status === 'failed' || job.status === 'cancelled';
  const followUps =
    job.status === 'succeeded' && job.warnings.some(({ code }) => code === 'follow_up_failed');
  return html`
    <p class="buttons">
      ${mayCancel ? action(frame, 'Cancel', post('cancel', 'Cancelled.')) : nothing}
      ${followUps ? action(frame, 'Repeat what is missing', post('retry-follow-ups', 'Queued again.')) : nothing}
      ${mayRetry ? action(frame, 'Retry as it is', post('retry', 'Queued again.'), { kind: 'main' }) : nothing}
    </p>
    ${
      mayRetry
        ? html`<details><summary>Correct it first</summary>${form(
            frame,
            html`<label>Body <textarea name="body" rows="14" spellcheck="false" .defaultValue=${pretty(job.request.body) ?? ''}></textarea></label>`,
            'Retry with this body',
            async (fields) =>
              post('retry', 'Queued again, corrected.', {
                body: parseJson('The body', String(fields.get('body'))),
              })(),
          )}</details>`
        : nothing
    }`;
}
