import type { Clock } from '../clock.ts';
import { type EventType, isSubscribed, jobEventOf, type WebhookEndpoint } from '../domain/webhook.ts';
import { createNamedUuid } from '../ids.ts';
import type { Logger } from '../logger.ts';
import type { AccountQueues } from '../queues/account-queues.ts';
import type { DeliveryStore } from '../stores/delivery-store.ts';
import { EVENT_KEPT_MS, type EventHead, type EventRef, type EventStore } from '../stores/event-store.ts';
import type { JobEvents } from '../stores/job-store.ts';

export type TellDeps = {
  events: Pick<EventStore, 'head' | 'settle'>;
  /** Endpoints of a workspace; at most two seconds old. */
  endpoints: (workspace: string) => Promise<WebhookEndpoint[]>;
  deliveries: Pick<DeliveryStore, 'create'>;
  queues: Pick<AccountQueues, 'addDelivery' | 'ringDelivery'>;
  clock: Clock;
  logger: Logger;
};

/** Events fanned out at once by this process; what is beyond stays for the sweep, so that a burst needs no memory. */
const AT_ONCE_MAX = 200;

export type WebhookTeller = ReturnType<typeof createWebhookTeller>;

/**
 * Tells webhook endpoints of what was written: who listens (asked before the write, so that the event can be part of it),
 * and fanning the event out into deliveries right after.
 */
export function createWebhookTeller(deps: TellDeps) {
  const underWay = new Set<Promise<unknown>>();

  /** When the endpoints cannot be read now, somebody may be listening. */
  async function isHeard(workspace: string, type: EventType): Promise<boolean> {
    try {
      // Disabled ones count: what they missed can be replayed.
      return (await deps.endpoints(workspace)).some((endpoint) => isSubscribed(endpoint, type));
    } catch {
      return true;
    }
  }

  function written(ref: EventRef): void {
    if (underWay.size >= AT_ONCE_MAX) return;
    const run = fanOut(deps, ref)
      // The outbox has it: the sweep will do it.
      .catch((err) => deps.logger.warn({ err, event: ref.id }, 'event.fan_out_failed'))
      .finally(() => underWay.delete(run));
    underWay.add(run);
  }

  const jobEvents: JobEvents = {
    async keptMs(job, to) {
      const type = jobEventOf(to);
      if (type === undefined) return undefined;
      if (job.callbackUrl !== undefined) return EVENT_KEPT_MS;
      // Rows of an import are told of by their import, unless it was asked otherwise.
      if (job.importId !== undefined && !job.rowEvents) return undefined;
      return (await isHeard(job.workspace, type)) ? EVENT_KEPT_MS : undefined;
    },
    written,
  };

  return {
    isHeard,
    written,
    jobEvents,
    /** Resolves when nothing is being fanned out any more. */
    async idle(): Promise<void> {
      await Promise.all(underWay);
    },
  };
}

/**
 * Makes the deliveries of one event and queues them; then the event leaves the outbox. May be repeated, also at the same
 * time: ids of deliveries follow from event and endpoint.
 * @returns how many deliveries it has to send.
 */
export async function fanOut(deps: TellDeps, ref: EventRef): Promise<number> {
  const head = await deps.events.head(ref);
  const targets = head ? await targetsOf(deps, ref, head) : [];
  const queued = await Promise.all(
    targets.map(async ({ endpoint, ...options }) => {
      const made = head && (await deps.deliveries.create(ref, head, endpoint, options));
      if (!made) return false;
      await deps.queues.addDelivery(endpoint, made.id, made.round, 0);
      if (made.bell) await deps.queues.ringDelivery(endpoint);
      return true;
    }),
  );
  await deps.events.settle(ref);
  return queued.filter(Boolean).length;
}

type Target = { endpoint: string; callbackUrl?: string; unsent?: 'endpoint_disabled' };

async function targetsOf(deps: TellDeps, ref: EventRef, head: EventHead): Promise<Target[]> {
  if (head.only !== undefined) return [{ endpoint: head.only }];
  const listening = (await deps.endpoints(head.workspace))
    .filter((endpoint) => isSubscribed(endpoint, head.type))
    // Nothing to tell a dead endpoint about its own death.
    .filter(({ id }) => head.type !== 'webhook_endpoint.disabled' || !ref.id.startsWith(id))
    .map(({ id, status }): Target => {
      return status === 'enabled' ? { endpoint: id } : { endpoint: id, unsent: 'endpoint_disabled' };
    });
  const { callbackUrl } = head;
  if (callbackUrl === undefined) return listening;
  return [...listening, { endpoint: callbackEndpointOf(head.workspace, callbackUrl), callbackUrl }];
}

/**
 * Callbacks of a workspace to one origin share a queue, as an endpoint's deliveries do: a queue for each create would cost a
 * connection each.
 */
export function callbackEndpointOf(workspace: string, callbackUrl: string): string {
  return createNamedUuid(`callback ${workspace} ${URL.parse(callbackUrl)?.origin ?? ''}`);
}
