import { AppError } from '../../shared/app-error.ts';
import * as operations from '../../shared/contract/operations/webhooks.ts';
import { type Delivery, viewDelivery, viewEndpoint } from '../../shared/domain/webhook.ts';
import {
  addEndpoint,
  changeEndpoint,
  deleteEndpoint,
  getDelivery,
  getEndpoint,
  redeliver,
  replay,
  sendTest,
  type WebhookDeps,
} from '../../shared/use-cases/manage-webhooks.ts';
import type { Caller } from '../request-facts.ts';
import type { Serve } from '../serve-operation.ts';

const LIMIT = 50;
const OVERLAP_S = 86_400;
/** Records read for one page at most: a filter that hardly matches gives a short page with a cursor. */
const READS_MAX = 2_000;

/** `/webhook-endpoints`, `/deliveries` and the callback secret. */
export function serveWebhooks(serve: Serve, deps: WebhookDeps): void {
  type OfOne = { params: { id: string }; caller: Caller };
  const find = ({ params, caller }: OfOne) => getEndpoint(deps, caller.workspace, params.id);

  serve(operations.createWebhookEndpoint, async ({ body, caller }) => {
    const { endpoint, secret } = await addEndpoint(deps, {
      workspace: caller.workspace,
      url: body.url,
      events: [...new Set(body.events)],
      description: body.description ?? undefined,
      trutoSignature: body.truto_signature ?? false,
    });
    return {
      status: 201,
      headers: { Location: `/webhook-endpoints/${endpoint.id}` },
      body: { ...viewEndpoint(endpoint), secret },
    };
  });

  serve(operations.listWebhookEndpoints, async ({ caller }) => {
    const data = (await deps.webhooks.list(caller.workspace)).map(viewEndpoint);
    return { status: 200, body: { object: 'list', data, next_cursor: null } };
  });

  serve(operations.getWebhookEndpoint, async (input) => ({
    status: 200,
    body: viewEndpoint(await find(input)),
  }));

  serve(operations.changeWebhookEndpoint, async (input) => {
    const { url, events, description, truto_signature, enabled } = input.body;
    const patch = {
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events: [...new Set(events)] }),
      ...(description === undefined ? {} : { description: description ?? undefined }),
      ...(truto_signature === undefined ? {} : { trutoSignature: truto_signature }),
    };
    return { status: 200, body: viewEndpoint(await changeEndpoint(deps, await find(input), patch, enabled)) };
  });

  serve(operations.deleteWebhookEndpoint, async (input) => {
    await deleteEndpoint(deps, await find(input));
    return { status: 204 };
  });

  serve(operations.rotateWebhookSecret, async (input) => {
    const endpoint = await find(input);
    const overlapMs = (input.body.overlap_seconds ?? OVERLAP_S) * 1_000;
    const secret = await deps.webhooks.rotateSecret(endpoint, overlapMs);
    if (secret === undefined) throw new AppError('not_found');
    return { status: 200, body: { ...viewEndpoint(endpoint), secret } };
  });

  serve(operations.testWebhookEndpoint, async (input) => ({
    status: 202,
    body: viewDelivery(await sendTest(deps, await find(input), input.body.type)),
  }));

  serve(operations.replayWebhookDeliveries, async (input) => {
    const { since, until, only_failed } = input.body;
    const wanted = { sinceMs: since, untilMs: until, onlyFailed: only_failed ?? false };
    return { status: 202, body: await replay(deps, await find(input), wanted) };
  });

  serve(operations.listWebhookDeliveries, async (input) => {
    const endpoint = await find(input);
    const { status, cursor = 0, limit = LIMIT } = input.query;
    const isWanted = (one: Delivery | undefined): one is Delivery =>
      one !== undefined && (status === undefined || status.includes(one.status));
    const data: Delivery[] = [];
    let at = cursor;
    let more = true;
    while (more && data.length < limit && at - cursor < READS_MAX) {
      const page = await deps.deliveries.page(endpoint.id, at, limit);
      more = page.length === limit;
      for (const one of page) {
        if (data.length === limit) {
          more = true;
          break;
        }
        at += 1;
        if (isWanted(one)) data.push(one);
      }
    }
    const next_cursor = more ? String(at) : null;
    return { status: 200, body: { object: 'list', data: data.map(viewDelivery), next_cursor } };
  });

  serve(operations.redeliverWebhook, async ({ params, caller }) => ({
    status: 202,
    body: viewDelivery(await redeliver(deps, await getDelivery(deps, caller.workspace, params.id))),
  }));

  serve(operations.getCallbackSecret, async ({ caller }) => ({
    status: 200,
    body: { object: 'callback_secret', secret: await deps.webhooks.callbackSecret(caller.workspace) },
  }));
}
