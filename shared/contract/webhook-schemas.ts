import { z } from 'zod';
import { DeliveryView, EventType, WebhookEndpointView } from '../domain/webhook.ts';

export const Url = z.string().min(1).max(2_000).meta({
  description:
    'https, on an allowed port. Every address its name resolves to must be public; checked now and again at every connection.',
});
export const Events = z
  .array(
    z.union([EventType, z.literal('*')], { error: `must be * or one of ${EventType.options.join(', ')}` }),
  )
  .min(1)
  .max(20)
  .meta({ description: 'Event types it receives; `*` = all, those of later versions included.' });
export const Description = z.string().trim().max(500);
export const TrutoSignature = z.boolean().meta({
  description:
    'Adds `X-Truto-Signature: format=sha256,v=HEX`: HMAC-SHA256 of the raw body, keyed with the secret as shown.',
});
const Secret = z.string().meta({ description: 'Signs what is sent. Shown in this answer and never again.' });

export const ENDPOINT_EXAMPLE: WebhookEndpointView = {
  id: '7b0c4d0e-3f5a-4a43-9a3e-5b7b4d2f1c11',
  object: 'webhook_endpoint',
  url: 'https://example.com/hooks/dealwright',
  events: ['job.succeeded', 'job.failed', 'job.needs_review'],
  description: null,
  truto_signature: false,
  status: 'enabled',
  disabled_reason: null,
  disabled_at: null,
  created_at: '2026-01-15T09:30:00.000Z',
  updated_at: '2026-01-15T09:30:00.000Z',
};
export const SECRET_EXAMPLE = 'whsec_…';

export const DELIVERY_EXAMPLE: DeliveryView = {
  id: 'dlv_7b0c4d0e3f5a4a439a3e5b7b4d2f1c11_019b0c7e6d1f7a539c415f2e8a7d0b2a_3',
  object: 'webhook_delivery',
  webhook_endpoint_id: ENDPOINT_EXAMPLE.id,
  url: null,
  event_id: '019b0c7e-6d1f-7a53-9c41-5f2e8a7d0b2a.3',
  type: 'job.succeeded',
  sequence: 3,
  status: 'pending',
  reason: null,
  created_at: '2026-01-15T09:30:01.000Z',
  delivered_at: null,
  next_try_at: '2026-01-15T09:30:06.300Z',
  try_count: 1,
  tries: [
    {
      number: 1,
      at: '2026-01-15T09:30:01.000Z',
      duration_ms: 35,
      status_code: 500,
      error: null,
      response_body: 'Internal Server Error',
    },
  ],
};

export const oneEndpoint = (description: string) => ({
  description,
  schema: WebhookEndpointView,
  example: ENDPOINT_EXAMPLE,
});
export const withSecret = (description: string) => ({
  description,
  schema: WebhookEndpointView.extend({ secret: Secret }).meta({ id: 'WebhookEndpointWithSecret' }),
  example: { ...ENDPOINT_EXAMPLE, secret: SECRET_EXAMPLE },
});
export const oneDelivery = (description: string) => ({
  description,
  schema: DeliveryView,
  example: DELIVERY_EXAMPLE,
});
