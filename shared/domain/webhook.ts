import { z } from 'zod';
import { toIso, toIsoOrNull } from '../clock.ts';
import type { JobStatus } from './job.ts';

export const EVENT_TYPES = [
  'job.succeeded',
  'job.failed',
  'job.needs_review',
  'job.cancelled',
  'import.completed',
  'import.failed',
  'import.cancelled',
  'integrated_account.authentication_error',
  'integrated_account.reactivated',
  'webhook_endpoint.disabled',
] as const;
export const EventType = z.enum(EVENT_TYPES).meta({ id: 'WebhookEventType' });
export type EventType = z.infer<typeof EventType>;

const JOB_EVENTS: Partial<Record<JobStatus, EventType>> = {
  succeeded: 'job.succeeded',
  failed: 'job.failed',
  needs_review: 'job.needs_review',
  cancelled: 'job.cancelled',
};

/** The event of a job's transition to `status`, undefined for a status nobody is told of. */
export function jobEventOf(status: JobStatus): EventType | undefined {
  return JOB_EVENTS[status];
}

export const DISABLED_REASONS = ['by_request', 'gone', 'failing'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** Where events of a workspace go. Its secrets are kept apart. */
export type WebhookEndpoint = {
  id: string;
  workspace: string;
  url: string;
  /** `*` = every type, those of later versions included. */
  events: (EventType | '*')[];
  description?: string;
  /** Adds `X-Truto-Signature`. */
  trutoSignature: boolean;
  status: 'enabled' | 'disabled';
  disabledReason?: DisabledReason;
  disabledAtMs?: number;
  createdAtMs: number;
  updatedAtMs: number;
};

export function isSubscribed(endpoint: Pick<WebhookEndpoint, 'events'>, type: EventType): boolean {
  return endpoint.events.includes('*') || endpoint.events.includes(type);
}

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const DELIVERY_REASONS = [
  'attempts_exhausted',
  'endpoint_gone',
  'endpoint_disabled',
  'endpoint_deleted',
  'event_expired',
  'secret_unreadable',
] as const;
export type DeliveryReason = (typeof DELIVERY_REASONS)[number];

/** One call to a receiver. */
export type DeliveryTry = {
  atMs: number;
  durationMs: number;
  /** Absent: nothing was answered. */
  statusCode?: number;
  /** Why nothing was answered. */
  error?: string;
  /** First bytes of the answer, redacted. */
  responseBody?: string;
};

/** One event on its way to one endpoint. Its id is the `webhook-id` of every try. */
export type Delivery = {
  id: string;
  workspace: string;
  /** For a `callback_url` the id stands for its workspace and origin. */
  endpoint: string;
  /** Present: the one-off target of a create. */
  callbackUrl?: string;
  /** Where the event is kept, and its id there. */
  eventTag: string;
  event: string;
  type: EventType;
  sequence: number;
  status: DeliveryStatus;
  reason?: DeliveryReason;
  createdAtMs: number;
  nextTryAtMs?: number;
  deliveredAtMs?: number;
  /** Counts the times it was set going: an engine job of an older round is ignored. */
  round: number;
  /** Tries of this round. */
  step: number;
  /** All tries ever; the last ones are kept. */
  tryCount: number;
  tries: DeliveryTry[];
};

const time = z.string().nullable();

export const WebhookEndpointView = z
  .object({
    id: z.string(),
    object: z.literal('webhook_endpoint'),
    url: z.string(),
    events: z.array(z.union([EventType, z.literal('*')])),
    description: z.string().nullable(),
    truto_signature: z.boolean(),
    status: z.enum(['enabled', 'disabled']),
    disabled_reason: z.enum(DISABLED_REASONS).nullable().meta({
      description: '`gone`: it answered 410. `failing`: nothing but failures for five days.',
    }),
    disabled_at: time,
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'WebhookEndpoint' });
export type WebhookEndpointView = z.infer<typeof WebhookEndpointView>;

export function viewEndpoint(endpoint: WebhookEndpoint): WebhookEndpointView {
  return {
    id: endpoint.id,
    object: 'webhook_endpoint',
    url: endpoint.url,
    events: endpoint.events,
    description: endpoint.description ?? null,
    truto_signature: endpoint.trutoSignature,
    status: endpoint.status,
    disabled_reason: endpoint.disabledReason ?? null,
    disabled_at: toIsoOrNull(endpoint.disabledAtMs),
    created_at: toIso(endpoint.createdAtMs),
    updated_at: toIso(endpoint.updatedAtMs),
  };
}

export const DeliveryView = z
  .object({
    id: z.string().meta({ description: 'The `webhook-id` of every try.' }),
    object: z.literal('webhook_delivery'),
    webhook_endpoint_id: z.string().nullable().meta({ description: 'Null for a `callback_url`.' }),
    url: z.string().nullable().meta({ description: 'The `callback_url`; null for an endpoint.' }),
    event_id: z.string(),
    type: EventType,
    sequence: z.int(),
    status: z.enum(DELIVERY_STATUSES),
    reason: z.enum(DELIVERY_REASONS).nullable().meta({ description: 'Why it failed.' }),
    created_at: z.string(),
    delivered_at: time,
    next_try_at: time,
    try_count: z.int(),
    tries: z
      .array(
        z.object({
          number: z.int(),
          at: z.string(),
          duration_ms: z.int(),
          status_code: z.int().nullable(),
          error: z.string().nullable(),
          response_body: z.string().nullable(),
        }),
      )
      .meta({ description: 'The last 30.' }),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryView = z.infer<typeof DeliveryView>;

export function viewDelivery(delivery: Delivery): DeliveryView {
  const firstKept = delivery.tryCount - delivery.tries.length + 1;
  return {
    id: delivery.id,
    object: 'webhook_delivery',
    webhook_endpoint_id: delivery.callbackUrl === undefined ? delivery.endpoint : null,
    url: delivery.callbackUrl ?? null,
    event_id: delivery.event,
    type: delivery.type,
    sequence: delivery.sequence,
    status: delivery.status,
    reason: delivery.reason ?? null,
    created_at: toIso(delivery.createdAtMs),
    delivered_at: toIsoOrNull(delivery.deliveredAtMs),
    next_try_at: toIsoOrNull(delivery.nextTryAtMs),
    try_count: delivery.tryCount,
    tries: delivery.tries.map((one, i) => ({
      number: firstKept + i,
      at: toIso(one.atMs),
      duration_ms: one.durationMs,
      status_code: one.statusCode ?? null,
      error: one.error ?? null,
      response_body: one.responseBody ?? null,
    })),
  };
}

/** Body of every webhook. */
export type WebhookPayload = { type: EventType; timestamp: string; sequence: number; data: unknown };

/**
 * Id of a delivery: of its event and endpoint and nothing else, so that fanning out twice makes no second one. It tells
 * the endpoint, and has no dot, which the signed text uses as a separator.
 */
export function deliveryIdOf(event: string, endpoint: string): string {
  return `dlv_${endpoint.replaceAll('-', '')}_${event.replaceAll('-', '').replace('.', '_')}`;
}

/** Endpoint of an id of {@link deliveryIdOf}, undefined if it is none. */
export function endpointOfDelivery(id: string): string | undefined {
  const hex = /^dlv_([0-9a-f]{32})_[0-9a-f]{32}_\d{1,15}$/.exec(id)?.[1];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
