import { html, nothing } from 'lit-html';
import { accountNames, ask, cutOff, Problem, post, READ_MS, send, tried } from '../api.js';
import { duration, number, words } from '../format.js';
import {
  action,
  badge,
  button,
  facts,
  link,
  orProblem,
  problemBox,
  progress,
  table,
  time,
} from '../parts.js';

/** @import { Frame, Import, ImportRow, Place, Tried } from '../types.ts' */
/** @typedef {{ one: Import, rows: Tried<ImportRow[]>, names: Map<string, string> }} Shown */

const ROWS_SHOWN = 50;
const COUNTED = /** @type {const} */ ([
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
  /** Its results are long: they are read again only when other rows can be among them. @type {{ of: string, rows: ImportRow[] }} */
  let known = { of: '', rows: [] };
  /** @param {Import} one @returns {Promise<ImportRow[]>} */
  const rowsOf = async ({ status, finished_at, counts: { failed, needs_review } }) => {
    if (failed + needs_review === 0) return [];
    const of = [status, finished_at, failed, needs_review].join(' ');
    if (of !== known.of) known = { of, rows: await firstRows(path) };
    return known.rows;
  };
  return {
    title: 'Import',
    everyMs: 2_000,
    /** @returns {Promise<Shown>} */
    async load() {
      const [one, names] = await Promise.all([
        /** @type {Promise<Import>} */ (ask('GET', path)),
        accountNames(),
      ]);
      return { one, rows: await tried(rowsOf(one)), names };
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
            COUNTED.filter((name) => counts[name] > 0).map((name) => [words(name), number(counts[name])]),
          ),
          Pace:
            isOpen && one.rows_per_second !== null
              ? `${number(Math.round(one.rows_per_second * 10) / 10)} rows a second`
              : undefined,
          'Time left': isOpen && one.eta_seconds !== null ? duration(one.eta_seconds * 1_000) : undefined,
          Accepted: time(one.created_at),
          Ended: one.finished_at && time(one.finished_at),
        })}
        ${one.error ? problemBox(new Problem(one.error), { isNews: false }) : nothing}
        <p class="buttons">${buttons(one, path, frame)}</p>
        ${counts.needs_review > 0 ? html`<p>${link(`/jobs?import_id=${id}&status=needs_review`, 'Rows that need your word')}</p>` : nothing}
        ${
          one.warnings.length === 0
            ? nothing
            : html`<section><h2>Warnings</h2><ul>${one.warnings.map(
                ({ message, rows: count, first_row }) =>
                  html`<li>${message} <span class="small">rows: ${number(count)}, the first is row ${first_row}</span></li>`,
              )}</ul></section>`
        }
        ${orProblem(rows, (shown) => (shown.length === 0 ? nothing : unwritten(shown)))}`;
    },
  };
}

/** @param {Import} one @param {string} path @param {Frame} frame */
function buttons({ id, status, counts }, path, frame) {
  const isWorked = status === 'queued' || status === 'running';
  const isOver = status === 'completed' || status === 'cancelled' || status === 'failed';
  /** @param {'csv' | 'ndjson'} format */
  const fetchResults = (format) => () =>
    frame.fetchBeside('Getting the results…', () => download(path, id, format));
  return html`
    ${isWorked ? action(frame, 'Pause', post(`${path}/pause`, 'Paused: rows under way finish.')) : nothing}
    ${status === 'paused' ? action(frame, 'Resume', post(`${path}/resume`, 'Resumed.'), { kind: 'main' }) : nothing}
    ${
      isWorked || status === 'paused'
        ? action(
            frame,
            'Cancel',
            post(`${path}/cancel`, 'Cancelled: rows under way finish, what is written stays.'),
            {
              kind: 'danger',
              sure: 'Cancel what has not begun?',
            },
          )
        : nothing
    }
    ${
      isOver && counts.failed > 0
        ? action(
            frame,
            'Retry the failed rows',
            post(
              `${path}/retry-failed`,
              'Those that were opportunities come again; what could not be read stays.',
            ),
            {
              kind: 'main',
            },
          )
        : nothing
    }
    ${status === 'receiving' ? nothing : [button('Results as CSV', fetchResults('csv')), ' ', button('Results as NDJSON', fetchResults('ndjson'))]}`;
}

/** @param {ImportRow[]} rows */
const unwritten = (rows) => html`<section>
  <h2>Rows that failed, or are in doubt</h2>
  ${table(
    rows,
    ({ row }) => row,
    {
      Row: ({ row }) => row,
      Line: ({ line }) => line,
      Status: ({ status }) => badge(status),
      Field: ({ pointer }) => (pointer ? html`<code>${pointer}</code>` : '–'),
      Why: ({ message, code }) => message ?? code ?? '–',
    },
    '',
  )}
  ${rows.length < ROWS_SHOWN ? nothing : html`<p class="small">The first ${ROWS_SHOWN}; the results have them all.</p>`}
</section>`;

/** The first rows that did not end as wanted; the rest of a long answer is not waited for. @param {string} path */
async function firstRows(path) {
  const stop = new AbortController();
  const { body } = await send('GET', `${path}/results?status=failed,needs_review`, {
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(READ_MS)]),
  });
  if (!body) return [];
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  /** @type {ImportRow[]} */
  const rows = [];
  let text = '';
  const next = () =>
    reader.read().catch(() => {
      throw cutOff();
    });
  for (let part = await next(); !part.done; part = await next()) {
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
  // Not at once: some browsers begin to read it a moment later.
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
}
