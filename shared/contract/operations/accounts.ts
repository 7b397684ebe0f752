import { z } from 'zod';
import { ACCOUNT_EXAMPLE, ChangeBody, ConnectBody, CredentialsBody } from '../account-schemas.ts';
import { AccountCheck, AccountView } from '../account-view.ts';
import { defineOperation } from '../operation.ts';
import { queryBoolean } from '../query-types.ts';

const AccountParams = z.object({
  id: z.string().max(64).toLowerCase().meta({ description: 'Id of the account.' }),
});
const tag = 'Integrated accounts';

const oneAccount = (description: string) => ({
  description,
  schema: AccountView,
  example: ACCOUNT_EXAMPLE,
});

/** What asking the provider can end in. */
const ASKING = [
  'query_timed_out',
  'account_needs_reauth',
  'provider_forbidden',
  'provider_rate_limited',
  'provider_unreachable',
  'provider_unavailable',
  'provider_no_answer',
] as const;

export const connectIntegratedAccount = defineOperation({
  id: 'connectIntegratedAccount',
  method: 'post',
  path: '/integrated-accounts',
  tag,
  summary: "Connect a customer's CRM",
  description:
    'Credentials are write-only and kept encrypted. They are not tried; see `/check`. Only a marker is verified at the provider, for which a worker must run.',
  scope: 'accounts:write',
  body: ConnectBody,
  bodyExample: {
    provider: 'close',
    name: 'Acme',
    credentials: { type: 'api_key', api_key: 'api_…' },
    settings: { defaults: { owner: { id: 'user_…' } } },
  },
  responses: { 201: { ...oneAccount('Connected.'), headers: { Location: 'Path of the account.' } } },
  errors: ['url_not_allowed', 'already_exists', ...ASKING],
});

export const listIntegratedAccounts = defineOperation({
  id: 'listIntegratedAccounts',
  method: 'get',
  path: '/integrated-accounts',
  tag,
  summary: 'List the accounts of the workspace, oldest first',
  scope: 'accounts:read',
  query: z.strictObject({}),
  responses: {
    200: {
      description: 'All of them.',
      schema: z
        .object({ object: z.literal('list'), data: z.array(AccountView), next_cursor: z.null() })
        .meta({ id: 'IntegratedAccountList' }),
      example: { object: 'list', data: [ACCOUNT_EXAMPLE], next_cursor: null },
    },
  },
});

export const getIntegratedAccount = defineOperation({
  id: 'getIntegratedAccount',
  method: 'get',
  path: '/integrated-accounts/{id}',
  tag,
  summary: 'Read an account',
  scope: 'accounts:read',
  params: AccountParams,
  responses: { 200: oneAccount('The account with its limits and queue as they are now.') },
});

export const changeIntegratedAccount = defineOperation({
  id: 'changeIntegratedAccount',
  method: 'patch',
  path: '/integrated-accounts/{id}',
  tag,
  summary: 'Change name or settings',
  scope: 'accounts:write',
  params: AccountParams,
  body: ChangeBody,
  bodyExample: { settings: { marker: { kind: 'external_id', field: 'Dealwright_Id__c' }, retry: null } },
  responses: { 200: oneAccount('Changed.') },
  errors: ['conflict', ...ASKING],
});

export const deleteIntegratedAccount = defineOperation({
  id: 'deleteIntegratedAccount',
  method: 'delete',
  path: '/integrated-accounts/{id}',
  tag,
  summary: 'Delete an account with its queue and credentials',
  description:
    'Without `cancel` refused while a job is open or needs review. With it the account accepts nothing more, what has not started is cancelled, and what has is waited out. Jobs stay readable until their retention ends.',
  scope: 'accounts:write',
  params: AccountParams,
  query: z.strictObject({
    cancel: queryBoolean('Cancels jobs that have not started and waits for the others.').optional(),
  }),
  responses: {
    202: oneAccount('Started jobs are still being waited for; repeat, or read the account until it is gone.'),
    204: { description: 'Deleted.' },
  },
  errors: ['account_has_open_jobs'],
});

export const replaceIntegratedAccountCredentials = defineOperation({
  id: 'replaceIntegratedAccountCredentials',
  method: 'put',
  path: '/integrated-accounts/{id}/credentials',
  tag,
  summary: 'Replace the credentials',
  description: 'An account in `needs_reauth` becomes active and its queue goes on.',
  scope: 'accounts:write',
  params: AccountParams,
  body: CredentialsBody,
  bodyExample: { credentials: { type: 'api_key', api_key: 'api_…' } },
  responses: { 200: oneAccount('Replaced.') },
  errors: ['url_not_allowed', 'conflict'],
});

export const checkIntegratedAccount = defineOperation({
  id: 'checkIntegratedAccount',
  method: 'post',
  path: '/integrated-accounts/{id}/check',
  tag,
  summary: 'Try the credentials at the provider',
  description:
    'Works for paused accounts too. What the provider refuses is a result (`ok: false`), not an error.',
  scope: 'accounts:read',
  params: AccountParams,
  responses: {
    200: {
      description: 'What the provider said.',
      schema: AccountCheck,
      example: {
        object: 'account_check',
        ok: true,
        checked_at: '2026-01-15T09:30:00.000Z',
        user: 'Ann Seller',
        organisation: 'Acme',
        facts: {
          stages: 10,
          owners: 4,
          custom_fields: 12,
          currency: { mode: 'organisation', code: 'EUR' },
          fetched_at: '2026-01-15T09:30:00.000Z',
        },
        marker: null,
        error: null,
      },
    },
  },
  errors: ['query_timed_out'],
});

export const pauseIntegratedAccount = defineOperation({
  id: 'pauseIntegratedAccount',
  method: 'post',
  path: '/integrated-accounts/{id}/pause',
  tag,
  summary: 'Stop writing for an account',
  description: 'It goes on accepting; its jobs wait. Deadlines stand still.',
  scope: 'accounts:write',
  params: AccountParams,
  responses: { 200: oneAccount('Paused.') },
  errors: ['conflict'],
});

export const resumeIntegratedAccount = defineOperation({
  id: 'resumeIntegratedAccount',
  method: 'post',
  path: '/integrated-accounts/{id}/resume',
  tag,
  summary: 'Set a paused or refused account going',
  scope: 'accounts:write',
  params: AccountParams,
  responses: { 200: oneAccount('Active.') },
  errors: ['conflict'],
});
