import { z } from 'zod';
import { AccountSettings, CREDENTIALS, PROVIDERS, type ProviderName } from '../domain/integrated-account.ts';
import type { AccountView } from './account-view.ts';

const AccountName = z.string().trim().min(1).max(255).meta({ description: 'For people.' });

const AccountId = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/, { error: 'must be a UUID' })
  .transform((id) => id.toLowerCase())
  .meta({
    description: 'Your own id for the account; made when left out.',
    openapi: { type: 'string', format: 'uuid' },
  });

function connect<P extends ProviderName>(provider: P) {
  return z.strictObject({
    provider: z.literal(provider),
    id: AccountId.optional(),
    name: AccountName.optional(),
    credentials: CREDENTIALS[provider].meta({ description: 'Write-only; kept encrypted.' }),
    settings: AccountSettings.optional(),
  });
}

/** Body of `POST /integrated-accounts`. */
export const ConnectBody = z.discriminatedUnion(
  'provider',
  [connect('salesforce'), connect('close'), connect('capsule')],
  { error: `must be one of ${PROVIDERS.join(', ')}` },
);
export type ConnectBody = z.infer<typeof ConnectBody>;

const { shape } = AccountSettings;

/** Settings of a `PATCH`: every key may be null, which takes it away. */
const SettingsPatch = z.strictObject({
  defaults: shape.defaults.unwrap().nullish(),
  on_unsupported: shape.on_unsupported.unwrap().nullish(),
  marker: shape.marker,
  rate_limit: shape.rate_limit.unwrap().nullish(),
  timeout_ms: shape.timeout_ms.unwrap().nullish(),
  reconcile: shape.reconcile.unwrap().nullish(),
  retry: shape.retry.unwrap().nullish(),
  read_back: shape.read_back.unwrap().nullish(),
  salesforce: shape.salesforce.unwrap().nullish(),
} satisfies Record<keyof AccountSettings, z.ZodType>);

export const ChangeBody = z.strictObject({
  name: AccountName.optional(),
  settings: SettingsPatch.optional().meta({
    description: 'Top-level keys replace those of the account; `null` takes one away; others stay.',
  }),
});

/**
 * Body of `PUT /integrated-accounts/{id}/credentials`: checked by the provider of the account, which only the handler
 * knows. With or without the wrapper.
 */
export const CredentialsBody = z.record(z.string(), z.unknown()).meta({
  openapi: {
    type: 'object',
    required: ['credentials'],
    properties: {
      credentials: {
        type: 'object',
        required: ['type'],
        properties: { type: { type: 'string' } },
        additionalProperties: true,
        description: 'As in POST /integrated-accounts; all of them, since nothing is merged.',
      },
    },
  },
});

export const ACCOUNT_EXAMPLE: AccountView = {
  id: '62f44730-dd91-461e-bd6a-aedd9e0ad79d',
  object: 'integrated_account',
  name: 'Acme production',
  provider: 'salesforce',
  status: 'active',
  settings: { defaults: { stage: { name: 'Prospecting' }, close_date: 'P90D' } },
  limits: {
    limit: 100_000,
    remaining: null,
    reset_at: null,
    blocked_until: null,
    source: 'headers',
  },
  queue: { waiting: 0, running: 0, delayed: 0 },
  last_error: null,
  created_at: '2026-01-15T09:30:00.000Z',
  updated_at: '2026-01-15T09:30:00.000Z',
};
