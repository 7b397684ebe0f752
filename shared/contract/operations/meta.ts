import { z } from 'zod';
import { ProviderName } from '../../domain/integrated-account.ts';
import { defineOperation } from '../operation.ts';
import { queryBoolean, queryUuid } from '../query-types.ts';

const jsonSchema = z.record(z.string(), z.unknown());

const fields = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    support: z.enum(['required', 'supported', 'unsupported']),
    required: z.boolean().meta({ description: 'Must be sent: the account has no default for it.' }),
    or_remote_data: z.array(z.string()),
    description: z.string().nullable(),
    note: z.string().nullable(),
    limits: jsonSchema,
    allowed_values: z.array(z.unknown()).nullable(),
    default: z.unknown(),
  }),
);

const head = {
  object: z.literal('create_meta'),
  provider: ProviderName,
  resource: z.literal('crm/opportunities'),
  method: z.literal('create'),
};

const body = {
  fields,
  request_body_schema: jsonSchema,
  query_schema: jsonSchema,
  default_query: jsonSchema,
  default_body: jsonSchema,
  documentation_link: z.string(),
};

export const ProviderCreateMeta = z.object({ ...head, ...body }).meta({ id: 'ProviderCreateMeta' });

export const AccountCreateMeta = z
  .object({
    ...head,
    integrated_account_id: z.string(),
    ...body,
    live: z
      .object({ fetched_at: z.string(), age_seconds: z.int(), user: z.unknown(), organisation: z.unknown() })
      .meta({ description: 'When the allowed values were read from the provider, and as whom.' }),
  })
  .meta({ id: 'AccountCreateMeta' });

const tag = 'Opportunities';

export const describeAccountCreate = defineOperation({
  id: 'describeAccountCreate',
  method: 'get',
  path: '/unified/crm/opportunities/meta/create',
  tag,
  summary: 'What a create takes, with the stages, owners and fields of one account',
  description: 'Live values are read through a worker and kept for a day; `refresh=true` reads them now.',
  scope: 'opportunities:write',
  query: z.strictObject({
    integrated_account_id: queryUuid('The integrated account.'),
    refresh: queryBoolean('Reads the live values anew.').optional(),
  }),
  responses: { 200: { description: 'For this account.', schema: AccountCreateMeta } },
  errors: [
    'not_found',
    'query_timed_out',
    'account_needs_reauth',
    'provider_forbidden',
    'provider_rate_limited',
    'provider_unreachable',
    'provider_unavailable',
    'provider_no_answer',
  ],
});

export const describeProviderCreate = defineOperation({
  id: 'describeProviderCreate',
  method: 'get',
  path: '/unified/crm/opportunities/{provider}/meta/create',
  tag,
  summary: 'What a create takes with one provider',
  scope: 'opportunities:write',
  params: z.object({ provider: ProviderName }),
  query: z.strictObject({}),
  responses: { 200: { description: 'For every account of the provider.', schema: ProviderCreateMeta } },
});
