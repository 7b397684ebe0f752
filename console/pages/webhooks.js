import { html, nothing } from 'lit-html';
import { ask } from '../api.js';
import { words } from '../format.js';
import { badge, link, table, time } from '../parts.js';

/** @import { Endpoint, List } from '../types.ts' */

export function webhooksPage() {
  return {
    title: 'Webhooks',
    everyMs: 10_000,
    /** @returns {Promise<List<Endpoint>>} */
    load: () => ask('GET', '/webhook-endpoints'),
    /** @param {List<Endpoint>} list */
    view: ({ data }) =>
      table(
        data,
        ({ id }) => id,
        {
          Endpoint: ({ id, url }) => link(`/webhooks/${id}`, url),
          Events: ({ events }) => events.join(', '),
          Status: ({ status, disabled_reason }) =>
            html`${badge(status)}${disabled_reason ? html` <span class="small">${words(disabled_reason)}</span>` : nothing}`,
          Made: ({ created_at }) => time(created_at),
        },
        'No endpoint is told of anything. POST /webhook-endpoints makes one.',
      ),
  };
}
