import { z } from 'zod';
import { DELIVERY_STATUSES, DeliveryView, EventType, WebhookEndpointView } from '../../domain/webhook.ts';
import { defineOperation } from '../operation.ts';
import { queryInteger, queryList, queryTime } from '../query-types.ts';
import {
  DELIVERY_EXAMPLE,
  Description,
  ENDPOINT_EXAMPLE,
  Events,
  oneDelivery,
  oneEndpoint,
  SECRET_EXAMPLE,
  TrutoSignature,
  Url,
  withSecret,
} from '../webhook-schemas.ts';

const EndpointParams = z.object({ id: z.string().max(64).meta({ description: 'Id of the endpoint.' }) });
const DeliveryParams = z.object({ id: z.string().max(128).meta({ description: 'Id of the delivery.' }) });

export const createWebhookEndpoint = defineOperation({
  id: 'createWebhookEndpoint',
  method: 'post',
  path: '/webhook-endpoints',
  tag: 'Webhooks',
  summary: 'Receive events at a URL',
  description:
    'Signed by Standard Webhooks 1.0. Told is what happens from now on. Every event arrives at least once; repeats carry the same `webhook-id`.',
  scope: 'webhooks:write',
  body: z.strictObject({
    url: Url,
    events: Events,
    description: Description.nullish(),
    truto_signature: TrutoSignature.optional(),
  }),
  bodyExample: { url: ENDPOINT_EXAMPLE.url, events: ENDPOINT_EXAMPLE.events },
  responses: { 201: { ...withSecret('Made.'), headers: { Location: 'Path of the endpoint.' } } },
  errors: ['url_not_allowed', 'conflict'],
});

export const listWebhookEndpoints = defineOperation({
  id: 'listWebhookEndpoints',
  method: 'get',
  path: '/webhook-endpoints',
  tag: 'Webhooks',
  summary: 'List the endpoints of the workspace, oldest first',
  scope: 'webhooks:read',
  query: z.strictObject({}),
  responses: {
    200: {
      description: 'All of them.',
      schema: z
        .object({ object: z.literal('list'), data: z.array(WebhookEndpointView), next_cursor: z.null() })
        .meta({ id: 'WebhookEndpointList' }),
      example: { object: 'list', data: [ENDPOINT_EXAMPLE], next_cursor: null },
    },
  },
});

export const getWebhookEndpoint = defineOperation({
  id: 'getWebhookEndpoint',
  method: 'get',
  path: '/webhook-endpoints/{id}',
  tag: 'Webhooks',
  summary: 'Read an endpoint',
  scope: 'webhooks:read',
  params: EndpointParams,
  responses: { 200: oneEndpoint('The endpoint, without its secret.') },
});

export const changeWebhookEndpoint = defineOperation({
  id: 'changeWebhookEndpoint',
  method: 'patch',
  path: '/webhook-endpoints/{id}',
  tag: 'Webhooks',
  summary: 'Change, disable or enable an endpoint',
  description:
    'What a disabled endpoint misses is kept as failed deliveries: enable it, then `/replay` with `only_failed`.',
  scope: 'webhooks:write',
  params: EndpointParams,
  body: z.strictObject({
    url: Url.optional(),
    events: Events.optional(),
    description: Description.nullish(),
    truto_signature: TrutoSignature.optional(),
    enabled: z.boolean().optional(),
  }),
  bodyExample: { enabled: true },
  responses: { 200: oneEndpoint('Changed.') },
  errors: ['url_not_allowed'],
});

export const deleteWebhookEndpoint = defineOperation({
  id: 'deleteWebhookEndpoint',
  method: 'delete',
  path: '/webhook-endpoints/{id}',
  tag: 'Webhooks',
  summary: 'Delete an endpoint',
  description: 'What is still to be sent to it is dropped.',
  scope: 'webhooks:write',
  params: EndpointParams,
  responses: { 204: { description: 'Deleted.' } },
});

export const rotateWebhookSecret = defineOperation({
  id: 'rotateWebhookSecret',
  method: 'post',
  path: '/webhook-endpoints/{id}/rotate-secret',
  tag: 'Webhooks',
  summary: 'Make a new secret',
  description:
    'Both sign until the overlap is over: every webhook carries a signature of each, so receivers can change over at any moment.',
  scope: 'webhooks:write',
  params: EndpointParams,
  body: z.strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .optional()
      .meta({ description: 'How long the old secret signs too. Default 86400.' }),
  }),
  bodyOptional: true,
  responses: { 200: withSecret('The new secret signs from now on.') },
});

export const testWebhookEndpoint = defineOperation({
  id: 'testWebhookEndpoint',
  method: 'post',
  path: '/webhook-endpoints/{id}/test',
  tag: 'Webhooks',
  summary: 'Send a made-up event',
  description:
    'Goes the way of every event, to this endpoint alone; `data.test` is true. Read the deliveries for the outcome.',
  scope: 'webhooks:write',
  params: EndpointParams,
  body: z.strictObject({
    type: EventType.optional().meta({ description: 'Default: the first it is subscribed to.' }),
  }),
  bodyOptional: true,
  responses: { 202: oneDelivery('On its way.') },
  errors: ['conflict'],
});

export const replayWebhookDeliveries = defineOperation({
  id: 'replayWebhookDeliveries',
  method: 'post',
  path: '/webhook-endpoints/{id}/replay',
  tag: 'Webhooks',
  summary: 'Send the deliveries of a time range again',
  description:
    'With the same `webhook-id`, at most 20 a second. At most 5,000 a call: go on from `next_since` while it is not null. Pending ones are passed over.',
  scope: 'webhooks:write',
  params: EndpointParams,
  body: z.strictObject({
    since: queryTime('Events from this moment on. Default: all that are kept.').optional(),
    until: queryTime('Events up to this moment. Default: now.').optional(),
    only_failed: z.boolean().optional().meta({ description: 'Default false: delivered ones too.' }),
  }),
  bodyOptional: true,
  bodyExample: { since: '2026-01-15T00:00:00Z', until: '2026-01-16T00:00:00Z', only_failed: true },
  responses: {
    202: {
      description: 'Queued.',
      schema: z
        .object({
          object: z.literal('webhook_replay'),
          queued: z.int(),
          skipped: z.int(),
          per_second: z.int(),
          ends_at: z.string().nullable().meta({ description: 'When the last one is due; null: none.' }),
          next_since: z.string().nullable(),
        })
        .meta({ id: 'WebhookReplay' }),
      example: {
        object: 'webhook_replay',
        queued: 40,
        skipped: 2,
        per_second: 20,
        ends_at: '2026-01-16T08:00:02.000Z',
        next_since: null,
      },
    },
  },
  errors: ['conflict'],
});

export const listWebhookDeliveries = defineOperation({
  id: 'listWebhookDeliveries',
  method: 'get',
  path: '/webhook-endpoints/{id}/deliveries',
  tag: 'Webhooks',
  summary: 'List deliveries with their tries, newest event first',
  description: 'Kept for 30 days.',
  scope: 'webhooks:read',
  params: EndpointParams,
  query: z.strictObject({
    status: queryList(z.enum(DELIVERY_STATUSES), 3, 'One or several statuses.', 1).optional(),
    cursor: queryInteger(0, 100_000_000, '`next_cursor` of the page before.').optional(),
    limit: queryInteger(1, 200, 'Deliveries per page. Default 50.').optional(),
  }),
  responses: {
    200: {
      description: 'One page.',
      schema: z
        .object({
          object: z.literal('list'),
          data: z.array(DeliveryView),
          next_cursor: z.string().nullable(),
        })
        .meta({ id: 'WebhookDeliveryList' }),
      example: { object: 'list', data: [DELIVERY_EXAMPLE], next_cursor: null },
    },
  },
});

export const redeliverWebhook = defineOperation({
  id: 'redeliverWebhook',
  method: 'post',
  path: '/deliveries/{id}/redeliver',
  tag: 'Webhooks',
  summary: 'Send one delivery again, now',
  description: 'With the same `webhook-id` and payload, and a schedule of its own. Callbacks too.',
  scope: 'webhooks:write',
  params: DeliveryParams,
  responses: { 202: oneDelivery('On its way.') },
  errors: ['conflict'],
});

export const getCallbackSecret = defineOperation({
  id: 'getCallbackSecret',
  method: 'get',
  path: '/workspace/callback-secret',
  tag: 'Workspace',
  summary: 'Read the secret that signs callbacks',
  description: 'It signs what goes to the `callback_url` of creates in this workspace.',
  scope: 'webhooks:write',
  responses: {
    200: {
      description: 'The secret.',
      schema: z
        .object({ object: z.literal('callback_secret'), secret: z.string() })
        .meta({ id: 'CallbackSecret' }),
      example: { object: 'callback_secret', secret: SECRET_EXAMPLE },
    },
  },
});
