import { html, nothing } from 'lit-html';
import { ask, post, queryOf } from '../api.js';
import { duration, exactTime, words } from '../format.js';
import { action, badge, facts, pager, table, time } from '../parts.js';

/** @import { Delivery, Endpoint, Frame, List, Place } from '../types.ts' */
/** @typedef {{ endpoint: Endpoint, list: List<Delivery> }} Shown */

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function webhookPage({ id, query }, frame) {
  const path = `/webhook-endpoints/${encodeURIComponent(id)}`;
  return {
    title: 'Webhook endpoint',
    everyMs: query.has('cursor') ? 0 : 3_000,
    /** @returns {Promise<Shown>} */
    async load() {
      const asked = queryOf({ cursor: query.get('cursor') });
      const [endpoint, list] = await Promise.all([
        /** @type {Promise<Endpoint>} */ (ask('GET', path)),
        /** @type {Promise<List<Delivery>>} */ (ask('GET', `${path}/deliveries${asked}`)),
      ]);
      return { endpoint, list };
    },
    /** @param {Shown} shown */
    view: ({ endpoint, list }) => html`
      <p class="lead">${badge(endpoint.status)} <strong>${endpoint.url}</strong></p>
      ${facts({
        Endpoint: html`<code>${endpoint.id}</code>`,
        Events: endpoint.events.join(', '),
        'Why disabled': endpoint.disabled_reason && words(endpoint.disabled_reason),
        About: endpoint.description,
        Made: time(endpoint.created_at),
      })}
      <p class="buttons">${buttons(endpoint, path, frame)}</p>
      <section>
        <h2>Deliveries</h2>
        ${table(
          list.data,
          ({ id: delivery }) => delivery,
          {
            Event: ({ type }) => type,
            Status: ({ status, reason }) =>
              html`${badge(status)}${reason ? html` <span class="small">${words(reason)}</span>` : nothing}`,
            When: ({ created_at }) => time(created_at),
            Tries: ({ try_count }) => try_count,
            'Last answer': ({ tries }) => lastAnswer(tries.at(-1)),
            'Next try': ({ next_try_at }) => time(next_try_at),
            '': (delivery) => again(endpoint, delivery, frame),
          },
          'Nothing was sent in the last thirty days.',
        )}
        ${pager(`/webhooks/${id}`, query, list.next_cursor)}
      </section>`,
  };
}

/** @param {Endpoint} endpoint @param {string} path @param {Frame} frame */
function buttons({ status }, path, frame) {
  /** @param {boolean} enabled @param {string} said */
  const enable = (enabled, said) => async () => {
    await ask('PATCH', path, { enabled });
    return { said };
  };
  // A call looks at the next few thousand deliveries, and says where the one after it goes on.
  const replay = async () => {
    let queued = 0;
    /** @type {string | null | undefined} */
    let since;
    do {
      /** @type {{ queued: number, next_since: string | null }} */
      const part = await ask('POST', `${path}/replay`, { only_failed: true, ...(since ? { since } : {}) });
      queued += part.queued;
      since = part.next_since;
    } while (since);
    return { said: queued === 0 ? 'None has failed.' : `Sent again: ${queued}.` };
  };
  if (status === 'disabled') {
    const enabled = 'Enabled. What it missed can be sent again.';
    return action(frame, 'Enable', enable(true, enabled), { kind: 'main' });
  }
  const disabled = 'Disabled: what happens from now on is kept as failed.';
  return html`
    ${action(frame, 'Send a test event', post(`${path}/test`, 'A test event is on its way.'))}
    ${action(frame, 'Send the failed ones again', replay)}
    ${action(frame, 'Disable', enable(false, disabled), { kind: 'danger' })}`;
}

/** @param {Endpoint} endpoint @param {Delivery} delivery @param {Frame} frame */
function again(endpoint, { id, type, status, created_at }, frame) {
  if (endpoint.status === 'disabled' || status === 'pending') return nothing;
  return action(frame, 'Send again', post(`/deliveries/${id}/redeliver`, 'On its way again.'), {
    name: `Send again: ${type} of ${exactTime(created_at)}`,
  });
}

/** @param {Delivery['tries'][number] | undefined} last */
function lastAnswer(last) {
  if (!last) return '–';
  const { status_code, error, duration_ms, response_body } = last;
  return html`<span title=${response_body ?? ''}>${status_code ?? error ?? 'none'}, ${duration(duration_ms)}</span>`;
}
