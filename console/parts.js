/** Pieces that pages are made of. */
import { html, nothing } from 'lit-html';
import { exactTime, fromNow, pretty, toneOf, words } from './format.js';

/** @import { Frame, Tried } from './types.ts' */

/** @param {string} status */
export const badge = (status) => html`<span class="badge ${toneOf(status)}">${words(status)}</span>`;

/** @param {string | null} iso */
export const time = (iso) =>
  iso === null ? '–' : html`<time datetime=${iso} title=${exactTime(iso)}>${fromNow(iso)}</time>`;

/** @param {string} path @param {unknown} text */
export const link = (path, text) => html`<a href="#${path}">${text}</a>`;

/**
 * A table, or what to say when there is nothing to show.
 * @template T
 * @param {T[]} rows
 * @param {Record<string, (row: T) => unknown>} columns by their headings
 * @param {string} empty
 */
export function table(rows, columns, empty) {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const cells = Object.values(columns);
  return html`<div class="scroll"><table>
    <thead><tr>${Object.keys(columns).map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${cells.map((cell) => html`<td>${cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** What is known of one thing, a line each; lines without a value are left out. @param {Record<string, unknown>} lines */
export const facts = (lines) =>
  html`<dl class="facts">${Object.entries(lines).map(([name, value]) =>
    value === undefined || value === null || value === '' ? nothing : html`<dt>${name}</dt><dd>${value}</dd>`,
  )}</dl>`;

/** @param {string} summary @param {unknown} value @param {boolean} [isOpen] */
export const json = (summary, value, isOpen = false) =>
  html`<details ?open=${isOpen}><summary>${summary}</summary><pre>${pretty(value)}</pre></details>`;

/**
 * Why something could not be done, each field by its pointer.
 * @param {{ message: string, code?: string, requestId?: string, failures?: { pointer: string, message: string }[] }} problem
 */
export const problemBox = ({
  message,
  code,
  requestId,
  failures = [],
}) => html`<div class="problem" role="alert">
  <p>${message}</p>
  ${failures.length === 0 ? nothing : html`<ul>${failures.map(({ pointer, message: why }) => html`<li><code>${pointer}</code> ${why}</li>`)}</ul>`}
  ${code === undefined ? nothing : html`<p class="small"><code>${code}</code>${requestId ? html` · request ${requestId}` : nothing}</p>`}
</div>`;

/**
 * @param {Frame} frame
 * @param {string} label
 * @param {() => Promise<unknown>} what a text it returns is said afterwards
 * @param {{ sure?: string, kind?: 'main' | 'danger' }} [more] `sure`: what to ask before
 */
export const action = (frame, label, what, { sure, kind } = {}) =>
  html`<button type="button" class=${kind ?? nothing} @click=${() => {
    if (sure === undefined || confirm(sure)) frame.act(what);
  }}>${label}</button>`;

/**
 * A form whose fields are given to `what` by their names.
 * @param {Frame} frame
 * @param {unknown} fields
 * @param {string} label of its button
 * @param {(fields: FormData, form: HTMLFormElement) => Promise<unknown>} what
 * @param {{ sure?: string }} [more]
 */
export const form = (frame, fields, label, what, { sure } = {}) =>
  html`<form @submit=${(/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const element = /** @type {HTMLFormElement} */ (event.currentTarget);
    if (sure === undefined || confirm(sure)) frame.act(() => what(new FormData(element), element));
  }}>${fields}<button type="submit" class="main">${label}</button></form>`;

/**
 * Leads to the page after this one of a list.
 * @param {string} path
 * @param {URLSearchParams} query of this page
 * @param {string | null} cursor
 */
export function older(path, query, cursor) {
  const isFirst = !query.has('cursor');
  if (cursor === null && isFirst) return nothing;
  /** @param {string | null} to */
  const at = (to) => {
    const next = new URLSearchParams(query);
    if (to === null) next.delete('cursor');
    else next.set('cursor', to);
    return `${path}?${next}`;
  };
  return html`<nav class="pager" aria-label="Pages">
    ${isFirst ? nothing : link(at(null), 'Newest')} ${cursor === null ? nothing : link(at(cursor), 'Older')}
  </nav>`;
}

/**
 * What was read, or why it could not be.
 * @template T
 * @param {Tried<T>} read
 * @param {(value: T) => unknown} view
 */
export const orProblem = (read, view) => ('problem' in read ? problemBox(read.problem) : view(read.value));
