import { html, nothing } from 'lit-html';
import { accountNames, ask, send } from '../api.js';
import { duration, number, words } from '../format.js';
import { action, badge, facts, link, problemBox, table, time } from '../parts.js';
import { progress } from './imports.js';

/** @import { Frame, Import, ImportRow, Place } from '../types.ts' */
/** @typedef {{ one: Import, rows: ImportRow[], names: Map<string, string> }} Shown */

const ROWS_SHOWN = 50;
const TOLD = /** @type {const} */ ([
  'succeeded',
  'failed',
  'needs_review',
  'duplicate',
  'cancelled',
  'queued',
  'running',
]);

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function importPage({ id }, frame) {
  const path = `/imports/${encodeURIComponent(id)}`;
  /** @param {string} verb @param {string} said */
  const post = (verb, said) => async () => {
    await ask('POST', `${path}/${verb}`);
    return said;
  };
  return {
    title: 'Import',
    everyMs: 2_000,
    async load() {
      /** @type {Import} */
      const one = await ask('GET', path);
      const isAsked = one.counts.failed + one.counts.needs_review > 0;
      const [names, rows] = await Promise.all([accountNames(), isAsked ? firstRows(path) : []]);
      return { one, rows, names };
    },
    /** @param {Shown} shown */
    view: ({ one, rows, names }) => {
      const { status, counts, integrated_account_id: account } = one;
      const isOpen = status === 'queued' || status === 'running' || status === 'paused';
      return html`
        <p class="lead">${badge(status)} ${progress(one)} <strong>${number(counts.total)} rows</strong></p>
        ${facts({
          Import: html`<code>${one.id}</code>`,
          Account: link(`/accounts/${account}`, names.get(account) ?? account),
          'Written how': html`${one.strategy}${one.strategy_reason ? html` <span class="small">${one.strategy_reason}</span>` : nothing}`,
          ...Object.fromEntries(
            TOLD.filter((name) => counts[name] > 0).map((name) => [words(name), number(counts[name])]),
          ),
          Pace:
            one.rows_per_second !== null && isOpen
              ? `${number(Math.round(one.rows_per_second * 10) / 10)} rows a second`
              : undefined,
          'Time left': one.eta_seconds !== null && isOpen ? duration(one.eta_seconds * 1_000) : undefined,
          Accepted: time(one.created_at),
          Ended: one.finished_at && time(one.finished_at),
        })}
        ${one.error ? problemBox({ ...one.error, requestId: one.error.request_id }) : nothing}
        <p class="buttons">
          ${status === 'queued' || status === 'running' ? action(frame, 'Pause', post('pause', 'Paused: rows under way finish.')) : nothing}
          ${status === 'paused' ? action(frame, 'Resume', post('resume', 'Resumed.'), { kind: 'main' }) : nothing}
          ${isOpen ? action(frame, 'Cancel', post('cancel', 'Cancelled: rows under way finish, what is written stays.'), { kind: 'danger', sure: 'Cancel what has not begun?' }) : nothing}
          ${!isOpen && counts.failed > 0 ? action(frame, 'Retry the failed rows', post('retry-failed', 'Their turn comes again.'), { kind: 'main' }) : nothing}
          ${action(frame, 'Results as CSV', () => download(path, id, 'csv'))}
          ${action(frame, 'Results as NDJSON', () => download(path, id, 'ndjson'))}
        </p>
        ${counts.needs_review > 0 ? html`<p>${link(`/jobs?import_id=${id}&status=needs_review`, 'Rows that need your word')}</p>` : nothing}
        ${
          one.warnings.length === 0
            ? nothing
            : html`<section><h2>Warnings</h2><ul>${one.warnings.map(
                ({ message, rows: count, first_row }) =>
                  html`<li>${message} <span class="small">${number(count)} rows, the first is row ${first_row}</span></li>`,
              )}</ul></section>`
        }
        ${
          rows.length === 0
            ? nothing
            : html`<section><h2>Rows that were not written</h2>
          ${table(
            rows,
            {
              Row: ({ row }) => row,
              Line: ({ line }) => line,
              Status: ({ status: of }) => badge(of),
              Field: ({ pointer }) => (pointer ? html`<code>${pointer}</code>` : '–'),
              Why: ({ message, code }) => message ?? code ?? '–',
            },
            '',
          )}
          ${rows.length < ROWS_SHOWN ? nothing : html`<p class="small">The first ${ROWS_SHOWN}; the results have them all.</p>`}
        </section>`
        }`;
    },
  };
}

/** The first rows that did not come to an end as wanted; the rest of a long answer is not waited for. @param {string} path */
async function firstRows(path) {
  const stop = new AbortController();
  const { body } = await send('GET', `${path}/results?status=failed,needs_review`, { signal: stop.signal });
  if (!body) return [];
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  /** @type {ImportRow[]} */
  const rows = [];
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (text + part.value).split('\n');
    text = lines.pop() ?? '';
    rows.push(...lines.filter(Boolean).map((line) => JSON.parse(line)));
    if (rows.length >= ROWS_SHOWN) break;
  }
  stop.abort();
  return rows.slice(0, ROWS_SHOWN);
}

/** @param {string} path @param {string} id @param {'csv' | 'ndjson'} format */
async function download(path, id, format) {
  const answer = await send('GET', `${path}/results?format=${format}`);
  const anchor = document.createElement('a');
  anchor.href = URL.createObjectURL(await answer.blob());
  anchor.download = `import-${id}.${format}`;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
