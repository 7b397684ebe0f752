/** Pieces that pages are made of. */
import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import { exactTime, fromNow, pretty, toneOf, words } from './format.js';

/** @import { Done, Frame, Import, Tried } from './types.ts' */

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
 * @param {(row: T) => unknown} keyOf tells rows apart: a button stays with its row, also when another comes above it
 * @param {Record<string, (row: T) => unknown>} columns by their headings
 * @param {string} empty
 */
export function table(rows, keyOf, columns, empty) {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`;
  const cells = Object.values(columns);
  return html`<div class="scroll"><table>
    <thead><tr>${Object.keys(columns).map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
    <tbody>${repeat(rows, keyOf, (row) => html`<tr>${cells.map((cell) => html`<td>${cell(row)}</td>`)}</tr>`)}</tbody>
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
 * @param {{ message: string, code: string, requestId?: string, failures?: { pointer: string, message: string }[] }} problem
 * @param {{ isNews?: boolean, at?: string | null }} [more] news are read out; `at`: when it was
 */
export const problemBox = (
  { message, code, requestId, failures = [] },
  { isNews = true, at } = {},
) => html`<div
  class="problem"
  role=${isNews ? 'alert' : nothing}
>
  <p>${message}</p>
  ${failures.length === 0 ? nothing : html`<ul>${failures.map(({ pointer, message: why }) => html`<li><code>${pointer}</code> ${why}</li>`)}</ul>`}
  <p class="small"><code>${code}</code>${requestId ? html` · request ${requestId}` : nothing}${at ? html` · ${time(at)}` : nothing}</p>
</div>`;

/**
 * @param {string} label
 * @param {() => void} press
 * @param {{ sure?: string, kind?: 'main' | 'danger', name?: string }} [more] `sure`: what to ask before; `name`: tells buttons of one
 *   label apart
 */
export const button = (label, press, { sure, kind, name } = {}) =>
  html`<button type="button" class=${kind ?? nothing} aria-label=${name ?? nothing} @click=${() => {
    if (sure === undefined || confirm(sure)) press();
  }}>${label}</button>`;

/**
 * A button that changes something.
 * @param {Frame} frame
 * @param {string} label
 * @param {() => Promise<Done>} what
 * @param {Parameters<typeof button>[2]} [more]
 */
export const action = (frame, label, what, more) => button(label, () => frame.act(what), more);

/**
 * A form whose fields are given to `what` by their names.
 * @param {Frame} frame
 * @param {unknown} fields
 * @param {string} label of its button
 * @param {(fields: FormData, form: HTMLFormElement) => Promise<Done>} what
 * @param {(fields: FormData) => string} [sure] what to ask before
 */
export const form = (frame, fields, label, what, sure) =>
  html`<form @submit=${(/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const element = /** @type {HTMLFormElement} */ (event.currentTarget);
    const given = new FormData(element);
    if (sure === undefined || confirm(sure(given))) frame.act(() => what(given, element));
  }}>${fields}<button type="submit" class="main">${label}</button></form>`;

/** @param {string[]} options @param {string} chosen @param {(value: string) => void} choose */
export const select = (options, chosen, choose) => html`<select
  @change=${(/** @type {Event} */ event) => choose(/** @type {HTMLSelectElement} */ (event.currentTarget).value)}
>${repeat(
  options,
  (option) => option,
  (option) => html`<option value=${option} .selected=${option === chosen}>${words(option)}</option>`,
)}</select>`;

/** Rows that have their result, of all. @param {Import} of */
export function progress({ counts: { total, queued, running } }) {
  const done = total - queued - running;
  return html`<progress max=${Math.max(total, 1)} value=${done} aria-label="Rows with a result">${done} of ${total}</progress>`;
}

/**
 * Leads to the page after this one of a list, and back to the first.
 * @param {string} path
 * @param {URLSearchParams} query of this page
 * @param {string | null} cursor
 */
export function pager(path, query, cursor) {
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
