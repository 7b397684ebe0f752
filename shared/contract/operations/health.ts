import { z } from 'zod';
import { defineOperation } from '../operation.ts';

export const healthz = defineOperation({
  id: 'healthz',
  method: 'get',
  path: '/healthz',
  tag: 'Health',
  summary: 'Is the process alive?',
  scope: null,
  responses: {
    200: { description: 'Alive.', schema: z.object({ status: z.literal('ok') }), example: { status: 'ok' } },
  },
});

/** What `/readyz` says, ready or not. */
export const Readiness = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    redis: z.enum(['ok', 'unavailable', 'not_durable']),
    durability: z.object({
      demanded: z.enum(['strict', 'asserted', 'relaxed']),
      found: z.enum(['strict', 'weaker', 'hidden', 'unknown']),
      replicas: z.int().meta({ description: 'Replicas that must have a write before it counts.' }),
      message: z.string().nullable(),
    }),
    memory: z.enum(['ok', 'full', 'unknown']).meta({
      description:
        '`full`: Redis uses more than 80 % of its `maxmemory`; creates and imports are answered 503, all else works.',
    }),
    worker: z.object({ seen: z.boolean(), last_seen_at: z.string().nullable() }),
  })
  .meta({ id: 'Readiness' });
export type Readiness = z.infer<typeof Readiness>;

const READY: Readiness = {
  status: 'ready',
  redis: 'ok',
  durability: { demanded: 'strict', found: 'strict', replicas: 0, message: null },
  memory: 'ok',
  worker: { seen: true, last_seen_at: '2026-01-15T09:30:00.000Z' },
};

export const readyz = defineOperation({
  id: 'readyz',
  method: 'get',
  path: '/readyz',
  tag: 'Health',
  summary: 'Can the process accept creates?',
  description:
    'Ready when Redis answers at the demanded durability, with the replicas that are demanded; a missing worker and a full memory are shown, and leave it ready for all that is no new work.',
  scope: null,
  responses: {
    200: { description: 'Ready.', schema: Readiness, example: READY },
    503: {
      description: 'Not ready.',
      schema: Readiness,
      example: { ...READY, status: 'not_ready', redis: 'unavailable' },
    },
  },
});

export const metrics = defineOperation({
  id: 'metrics',
  method: 'get',
  path: '/metrics',
  tag: 'Health',
  summary: 'Metrics for Prometheus',
  scope: null,
  responses: {
    200: { description: 'Text exposition format.', schema: z.string(), contentType: 'text/plain' },
  },
});

export const openapi = defineOperation({
  id: 'openapi',
  method: 'get',
  path: '/openapi.json',
  tag: 'Health',
  summary: 'This document',
  scope: null,
  responses: { 200: { description: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
});
