import { html, nothing } from 'lit-html';
import { ask, query as queryOf } from '../api.js';
import { duration, words } from '../format.js';
import { action, badge, facts, older, table, time } from '../parts.js';

/** @import { Delivery, Endpoint, Frame, List, Place } from '../types.ts' */
/** @typedef {{ endpoint: Endpoint, list: List<Delivery> }} Shown */

/**
 * @param {Place} place
 * @param {Frame} frame
 */
export function webhookPage({ id, query }, frame) {
  const path = `/webhook-endpoints/${encodeURIComponent(id)}`;
  /** @param {boolean} enabled */
  const enable = (enabled) => async () => {
    await ask('PATCH', path, { enabled });
    return enabled
      ? 'Enabled. What it missed can be sent again.'
      : 'Disabled: what happens from now on is kept as failed.';
  };
  const test = async () => {
    await ask('POST', `${path}/test`);
    return 'A test event is on its way.';
  };
  const replay = async () => {
    /** @type {{ queued: number, next_since: string | null }} */
    const { queued, next_since } = await ask('POST', `${path}/replay`, { only_failed: true });
    return `${queued} are sent again.${next_since ? ' There are more: do it again when these have left.' : ''}`;
  };
  /** @param {string} delivery */
  const again = (delivery) => async () => {
    await ask('POST', `/deliveries/${delivery}/redeliver`);
    return 'On its way again.';
  };
  return {
    title: 'Webhook endpoint',
    everyMs: query.has('cursor') ? 0 : 3_000,
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
        'Disabled since it is': endpoint.disabled_reason && words(endpoint.disabled_reason),
        About: endpoint.description,
        Made: time(endpoint.created_at),
      })}
      <p class="buttons">
        ${action(frame, 'Send a test event', test)}
        ${
          endpoint.status === 'enabled'
            ? html`${action(frame, 'Send the failed ones again', replay)} ${action(frame, 'Disable', enable(false), { kind: 'danger' })}`
            : action(frame, 'Enable', enable(true), { kind: 'main' })
        }
      </p>
      <section>
        <h2>Deliveries</h2>
        ${table(
          list.data,
          {
            Event: ({ type }) => type,
            Status: ({ status, reason }) =>
              html`${badge(status)}${reason ? html` <span class="small">${words(reason)}</span>` : nothing}`,
            When: ({ created_at }) => time(created_at),
            Tries: ({ try_count }) => try_count,
            'Last answer': ({ tries }) => lastAnswer(tries.at(-1)),
            'Next try': ({ next_try_at }) => time(next_try_at),
            '': ({ id: delivery, status }) =>
              status === 'pending' ? nothing : action(frame, 'Send again', again(delivery)),
          },
          'Nothing was sent in the last thirty days.',
        )}
        ${older(`/webhooks/${id}`, query, list.next_cursor)}
      </section>`,
  };
}

/** @param {Delivery['tries'][number] | undefined} last */
function lastAnswer(last) {
  if (!last) return '–';
  const { status_code, error, duration_ms, response_body } = last;
  return html`<span title=${response_body ?? ''}>${status_code ?? error ?? 'none'}, ${duration(duration_ms)}</span>`;
}
