import { AppError } from '../app-error.ts';
import { type Clock, toIso } from '../clock.ts';
import { type Delivery, deliveryIdOf, type EventType, type WebhookEndpoint } from '../domain/webhook.ts';
import type { Logger } from '../logger.ts';
import type { TargetChecker } from '../outbound-policy/check-target.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { DeliveryStore } from '../stores/delivery-store.ts';
import type { EventRef } from '../stores/event-store.ts';
import type { EndpointPatch, NewEndpoint, WebhookStore } from '../stores/webhook-store.ts';
import { exampleEvent } from './example-events.ts';
import type { WebhookTeller } from './tell-webhooks.ts';

export type WebhookDeps = {
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
  queues: Pick<AccountQueues, 'addDelivery' | 'ringDelivery' | 'obliterateDeliveries'>;
  teller: Pick<WebhookTeller, 'written'>;
  fanOut: (ref: EventRef) => Promise<unknown>;
  targets: TargetChecker;
  clock: Clock;
  logger: Logger;
};

const ENDPOINTS_MAX = 50;
/** Replayed deliveries of one endpoint leave at this pace, however many replays are asked for. */
export const REPLAYED_PER_SECOND = 20;
const REPLAYED_AT_ONCE_MAX = 5_000;
/** Commands on their way to the store together. */
const AT_ONCE = 50;

/** @throws AppError `not_found` for one of another workspace too. */
export async function getEndpoint(
  deps: WebhookDeps,
  workspace: string,
  id: string,
): Promise<WebhookEndpoint> {
  const endpoint = await deps.webhooks.get(id);
  if (endpoint?.workspace !== workspace)
    throw new AppError('not_found', `There is no webhook endpoint ${id} in this workspace.`);
  return endpoint;
}

/** @throws AppError `url_not_allowed` with the reason. */
export async function assertTarget(
  targets: TargetChecker,
  url: string,
  pointer: string,
  options: { patient?: boolean } = {},
): Promise<void> {
  const judged = await targets.check(url, options);
  if (judged.ok) return;
  const message = `is not allowed: ${judged.reason}`;
  throw new AppError('url_not_allowed', `${pointer.slice(1)} ${message}.`, {
    failures: [{ pointer, code: 'url_not_allowed', message }],
  });
}

/** @throws AppError 400 for a URL that is not allowed, 409 when the workspace has too many. */
export async function addEndpoint(deps: WebhookDeps, input: NewEndpoint) {
  await assertTarget(deps.targets, input.url, '/url');
  const present = await deps.webhooks.list(input.workspace);
  if (present.length >= ENDPOINTS_MAX)
    throw new AppError(
      'conflict',
      `The workspace has ${ENDPOINTS_MAX} webhook endpoints, which is the limit.`,
    );
  return deps.webhooks.create(input);
}

/** Disabling by hand tells nobody: whoever did it knows. */
export async function changeEndpoint(
  deps: WebhookDeps,
  endpoint: WebhookEndpoint,
  patch: EndpointPatch,
  enabled: boolean | undefined,
): Promise<WebhookEndpoint> {
  if (patch.url !== undefined) await assertTarget(deps.targets, patch.url, '/url');
  let changed: WebhookEndpoint | undefined = endpoint;
  if (Object.keys(patch).length > 0) changed = await deps.webhooks.update(endpoint.id, patch);
  if (changed && enabled === true && changed.status === 'disabled') {
    await deps.deliveries.forgiveFailures(endpoint.id);
    changed = (await deps.webhooks.enable(endpoint.id))?.endpoint;
  }
  if (changed && enabled === false && changed.status === 'enabled')
    changed = (await deps.webhooks.disable(endpoint.id, 'by_request'))?.endpoint ?? changed;
  if (!changed) throw new AppError('not_found');
  return changed;
}

export async function deleteEndpoint(deps: WebhookDeps, endpoint: WebhookEndpoint): Promise<void> {
  await deps.webhooks.remove(endpoint);
  await deps.deliveries.forgetEndpoint(endpoint.id);
  // What a worker has in hand ends by itself: it finds no endpoint.
  await deps.queues
    .obliterateDeliveries(endpoint.id)
    .catch((err) => deps.logger.warn({ err, endpoint_id: endpoint.id }, 'webhook_endpoint.queue_left'));
}

/** @returns the delivery of a made-up event to this endpoint alone. */
export async function sendTest(
  deps: WebhookDeps,
  endpoint: WebhookEndpoint,
  wanted: EventType | undefined,
): Promise<Delivery> {
  assertEnabled(endpoint);
  const [first] = endpoint.events;
  const type = wanted ?? (first === undefined || first === '*' ? 'job.succeeded' : first);
  const data = exampleEvent(type, deps.clock.nowMs());
  const ref = await deps.webhooks.writeTestEvent(endpoint, {
    ...{ type, workspace: endpoint.workspace, data, only: endpoint.id },
  });
  if (!ref) throw new AppError('not_found');
  await deps.fanOut(ref);
  return getDelivery(deps, endpoint.workspace, deliveryIdOf(ref.id, endpoint.id));
}

/** @throws AppError `not_found` for one of another workspace too. */
export async function getDelivery(deps: WebhookDeps, workspace: string, id: string): Promise<Delivery> {
  const delivery = await deps.deliveries.find(id);
  if (delivery?.workspace !== workspace)
    throw new AppError('not_found', `There is no delivery ${id} in this workspace.`);
  return delivery;
}

/** @throws AppError 409 when its endpoint is disabled. */
export async function redeliver(deps: WebhookDeps, delivery: Delivery): Promise<Delivery> {
  if (delivery.callbackUrl === undefined)
    assertEnabled(await getEndpoint(deps, delivery.workspace, delivery.endpoint));
  await queueAgain(deps, delivery.endpoint, delivery.id, {});
  return getDelivery(deps, delivery.workspace, delivery.id);
}

export type Replay = { sinceMs?: number; untilMs?: number; onlyFailed: boolean };

/**
 * Sets the deliveries of a range going again, spread over time. Calling it again with the same range is harmless: what is
 * pending is passed over.
 * @throws AppError 409 when the endpoint is disabled.
 */
export async function replay(deps: WebhookDeps, endpoint: WebhookEndpoint, wanted: Replay) {
  assertEnabled(endpoint);
  const { sinceMs = 0, untilMs = deps.clock.nowMs(), onlyFailed } = wanted;
  const found = await deps.deliveries.idsBetween(endpoint.id, sinceMs, untilMs, REPLAYED_AT_ONCE_MAX + 1);
  const beyond = found.length > REPLAYED_AT_ONCE_MAX ? found.at(-1) : undefined;
  // The next call begins at a whole millisecond, so this one must end before it.
  const taken = beyond ? found.filter(({ atMs }) => atMs < beyond.atMs) : found;
  let queued = 0;
  let endsAtMs = 0;
  const wish = { notPending: true, onlyFailed, spacingMs: 1_000 / REPLAYED_PER_SECOND };
  for (let i = 0; i < taken.length; i += AT_ONCE) {
    const some = taken.slice(i, i + AT_ONCE);
    const times = await Promise.all(some.map(({ id }) => queueAgain(deps, endpoint.id, id, wish)));
    for (const atMs of times) {
      if (atMs === undefined) continue;
      queued += 1;
      endsAtMs = Math.max(endsAtMs, atMs);
    }
  }
  return {
    object: 'webhook_replay' as const,
    queued,
    skipped: taken.length - queued,
    per_second: REPLAYED_PER_SECOND,
    ends_at: queued > 0 ? toIso(endsAtMs) : null,
    next_since: beyond ? toIso(beyond.atMs) : null,
  };
}

async function queueAgain(
  deps: WebhookDeps,
  endpoint: string,
  id: string,
  wish: Parameters<DeliveryStore['reopen']>[1],
): Promise<number | undefined> {
  const opened = await deps.deliveries.reopen(id, wish);
  if (!opened) return undefined;
  await deps.queues.addDelivery(endpoint, id, opened.round, opened.atMs - deps.clock.nowMs());
  await deps.queues.ringDelivery(endpoint);
  return opened.atMs;
}

function assertEnabled({ status }: WebhookEndpoint): void {
  if (status === 'disabled')
    throw new AppError('conflict', 'The endpoint is disabled; enable it first: PATCH {"enabled": true}.');
}
