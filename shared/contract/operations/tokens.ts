import { z } from 'zod';
import { WorkspaceName } from '../../domain/workspace.ts';
import { defineOperation, SCOPES } from '../operation.ts';

const RateLimit = z
  .strictObject({
    requests: z.int().min(1).max(1_000_000),
    per_seconds: z.number().positive().max(86_400),
  })
  .meta({ description: 'Above it the token is answered 429 with Retry-After. Off when left out.' });

export const TokenView = z
  .object({
    id: z.string(),
    object: z.literal('api_token'),
    name: z.string().nullable(),
    workspace: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    last_four: z.string(),
    rate_limit: z.object({ requests: z.int(), per_seconds: z.number() }).nullable(),
    created_at: z.string(),
    expires_at: z.string().nullable(),
  })
  .meta({ id: 'ApiToken' });
export type TokenView = z.infer<typeof TokenView>;

const EXAMPLE: TokenView = {
  id: '0f8c2d52-6a5e-4e0e-9e0b-0f0f6f1c7b11',
  object: 'api_token',
  name: 'import job',
  workspace: 'default',
  scopes: ['opportunities:write', 'jobs:read'],
  last_four: 'x9Qk',
  rate_limit: null,
  created_at: '2026-01-15T09:30:00.000Z',
  expires_at: null,
};

export const createApiToken = defineOperation({
  id: 'createApiToken',
  method: 'post',
  path: '/api-tokens',
  tag: 'Tokens',
  summary: 'Make an API token',
  description: 'The token is shown in this answer and never again; only its hash is kept.',
  scope: 'admin',
  body: z.strictObject({
    name: z.string().trim().min(1).max(255).optional(),
    workspace: WorkspaceName.optional().meta({ description: "Default: the caller's own." }),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    expires_at: z.iso
      .datetime({ offset: true, error: 'must be a moment as 2026-04-30T12:00:00Z' })
      .nullish()
      .meta({ description: 'Default: never.' }),
    rate_limit: RateLimit.nullish(),
  }),
  bodyExample: { workspace: 'default', scopes: ['opportunities:write', 'jobs:read'] },
  responses: {
    201: {
      description: 'Made.',
      schema: TokenView.extend({ token: z.string() }).meta({ id: 'ApiTokenCreated' }),
      example: { ...EXAMPLE, token: 'dwt_…' },
    },
  },
});

export const listApiTokens = defineOperation({
  id: 'listApiTokens',
  method: 'get',
  path: '/api-tokens',
  tag: 'Tokens',
  summary: 'List API tokens, newest first',
  description: 'ADMIN_TOKEN sees those of every workspace, or of one; a token with the scope admin its own.',
  scope: 'admin',
  query: z.strictObject({ workspace: WorkspaceName.optional() }),
  responses: {
    200: {
      description: 'All of them.',
      schema: z
        .object({ object: z.literal('list'), data: z.array(TokenView), next_cursor: z.null() })
        .meta({ id: 'ApiTokenList' }),
      example: { object: 'list', data: [EXAMPLE], next_cursor: null },
    },
  },
});

export const deleteApiToken = defineOperation({
  id: 'deleteApiToken',
  method: 'delete',
  path: '/api-tokens/{id}',
  tag: 'Tokens',
  summary: 'Delete an API token',
  description: 'It stops working at once, at the latest after two seconds.',
  scope: 'admin',
  params: z.object({ id: z.string().max(64).meta({ description: 'Id of the token, not the token.' }) }),
  responses: { 204: { description: 'Deleted.' } },
});
