import { z } from 'zod';
import { Opportunity, OpportunityInput } from '../../domain/opportunity.ts';
import { CreateQuery } from '../create-query.ts';
import { JOB_EXAMPLE } from '../examples.ts';
import { JobView } from '../job-view.ts';
import { defineOperation } from '../operation.ts';

const warning = z.object({ code: z.string(), pointer: z.string().optional(), message: z.string() });
const failure = z.object({ pointer: z.string(), code: z.string(), message: z.string() });

/** What a dry run answers. */
export const Preview = z
  .object({
    valid: z.boolean(),
    errors: z.array(failure),
    warnings: z.array(warning),
    applied_defaults: z.record(z.string(), z.unknown()),
    request: z
      .object({
        method: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()).meta({ description: 'Secrets are shown as `***`.' }),
        body: z.unknown(),
      })
      .nullable()
      .meta({ description: 'What would be sent; null when the request is not valid.' }),
  })
  .meta({ id: 'Preview' });
export type Preview = z.infer<typeof Preview>;

export const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

const CreateHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(PRINTABLE_ASCII, { error: 'must have 1 to 255 printable ASCII characters' })
    .optional()
    .meta({ description: 'Makes it safe to send the same request again; taken as it is, quotes included.' }),
  prefer: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .meta({
      description: '`respond-async`, or `wait=N` to wait at most N (60) seconds for the result.',
      openapi: { type: 'string' },
    }),
  traceparent: z.string().max(200).optional().meta({ description: 'W3C trace context, passed on to logs.' }),
});

const RESPONSE_HEADERS = {
  Location: 'Path of the job.',
  'X-Job-Id': 'Id of the job.',
  'Idempotency-Replayed': '`true` when the key was accepted before.',
  'Preference-Applied': 'The preference that was honoured.',
};

export const createOpportunity = defineOperation({
  id: 'createOpportunity',
  method: 'post',
  path: '/unified/crm/opportunities',
  tag: 'Opportunities',
  summary: 'Create an opportunity',
  description:
    'Accepts the opportunity durably (202 and a job); a worker writes it to the CRM exactly once. With `Prefer: wait=N` the answer is the opportunity itself, if it is written in time.',
  scope: 'opportunities:write',
  query: CreateQuery,
  headers: CreateHeaders,
  body: OpportunityInput,
  bodyExample: {
    name: 'Acme: 50 seats',
    amount: 12_500,
    currency: 'EUR',
    close_date: '2026-04-30',
    stage: { name: 'Proposal' },
    account: { id: '0015g00000XyZabAAB' },
  },
  responses: {
    200: {
      description: '`dry_run=true`: what would be sent.',
      schema: Preview,
      example: {
        valid: true,
        errors: [],
        warnings: [],
        applied_defaults: { stage: { name: 'Prospecting' } },
        request: {
          method: 'POST',
          url: 'https://acme.my.salesforce.com/services/data/v62.0/sobjects/Opportunity',
          headers: { Authorization: '***', 'Content-Type': 'application/json' },
          body: { Name: 'Acme: 50 seats', StageName: 'Prospecting', CloseDate: '2026-04-30' },
        },
      },
    },
    201: {
      description: '`Prefer: wait=N`: written in time. The shape depends on `truto_response_format`.',
      // `raw` is whatever the provider answered.
      schema: z.union([Opportunity, z.record(z.string(), z.unknown())]),
      example: {
        id: '0065g00000AbCdEAAV',
        name: 'Acme: 50 seats',
        amount: 12_500,
        currency: 'EUR',
        status: 'open',
      },
      headers: { ...RESPONSE_HEADERS },
    },
    202: {
      description: 'Accepted and durable.',
      schema: JobView,
      example: JOB_EXAMPLE,
      headers: { ...RESPONSE_HEADERS, 'Retry-After': 'Seconds after which asking for the job makes sense.' },
    },
  },
  errorHeaders: {
    'Idempotency-Replayed': '`true` when the key was accepted before: this is what became of it.',
    'X-Job-Id': RESPONSE_HEADERS['X-Job-Id'],
    'Preference-Applied': RESPONSE_HEADERS['Preference-Applied'],
  },
  errors: [
    'missing_required_fields',
    'unsupported_field',
    'url_not_allowed',
    'not_found',
    'idempotency_key_in_progress',
    'idempotency_key_reused',
    'stage_not_found',
    'stage_ambiguous',
    'custom_field_not_found',
    'backlog_full',
    'accept_timed_out',
    'query_timed_out',
    'provider_forbidden',
    'provider_plan_limit',
    'provider_not_found',
    'provider_conflict',
    'provider_validation',
    'provider_bad_request',
    'account_needs_reauth',
    'attempts_exhausted',
    'deadline_exceeded',
    'cancelled',
    'worker_fault',
  ],
});
