import { z } from 'zod';
import { AccountSettings, PROVIDERS } from '../domain/integrated-account.ts';

const count = z.int();
const time = z.string().nullable();

/** An integrated account as every answer shows it. */
export const AccountView = z
  .object({
    id: z.string(),
    object: z.literal('integrated_account'),
    name: z.string(),
    provider: z.enum(PROVIDERS),
    status: z.enum(['active', 'paused', 'needs_reauth', 'deleting']).meta({
      description:
        '`paused` and `needs_reauth`: creates are accepted and wait. `deleting`: its started jobs are being waited out.',
    }),
    settings: AccountSettings,
    limits: z
      .object({
        limit: z.number().nullable(),
        remaining: z.number().nullable(),
        reset_at: time,
        blocked_until: time,
        source: z.string().nullable(),
      })
      .meta({ description: 'What the provider has said about its limit; null where it has not.' }),
    queue: z
      .object({ waiting: count, running: count, delayed: count })
      .meta({ description: 'Open jobs: ready to run, running, and held until later.' }),
    last_error: z.object({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'IntegratedAccount' });
export type AccountView = z.infer<typeof AccountView>;

/** What the provider said about the account's credentials. */
export const AccountCheck = z
  .object({
    object: z.literal('account_check'),
    ok: z.boolean(),
    checked_at: z.string(),
    user: z.string().nullable().meta({ description: 'Who the calls run as.' }),
    organisation: z.string().nullable(),
    facts: z
      .object({
        stages: count,
        owners: count,
        custom_fields: count,
        currency: z.object({ mode: z.string(), code: z.string().nullable() }),
        fetched_at: z.string(),
      })
      .nullable()
      .meta({ description: 'How much of the account could be read; null: nothing.' }),
    marker: z
      .object({ ok: z.boolean(), kind: z.string(), field: z.string(), message: z.string().nullable() })
      .nullable()
      .meta({ description: 'Whether the configured marker still works; null: none is set.' }),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'AccountCheck' });
export type AccountCheck = z.infer<typeof AccountCheck>;
