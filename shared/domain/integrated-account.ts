import { z } from 'zod';
import { OpportunityInput } from './opportunity.ts';
import { readRsaKey } from './private-key.ts';

export const PROVIDERS = ['salesforce', 'close', 'capsule'] as const;
export const ProviderName = z.enum(PROVIDERS);
export type ProviderName = z.infer<typeof ProviderName>;

export const ACCOUNT_STATUSES = ['active', 'paused', 'needs_reauth'] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

export const ON_UNSUPPORTED = ['reject', 'warn', 'ignore'] as const;

const ISO_DURATION = /^P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?$/;

/** Days, weeks, months and years of a date-only ISO 8601 duration, or undefined if `text` is none. */
export function parseDateDuration(text: string): { years: number; months: number; days: number } | undefined {
  const m = ISO_DURATION.exec(text);
  if (!m) return undefined;
  return {
    years: Number(m[1] ?? 0),
    months: Number(m[2] ?? 0),
    days: Number(m[3] ?? 0) * 7 + Number(m[4] ?? 0),
  };
}

/** `from` moved by a date-only duration, as `YYYY-MM-DD` in UTC; the day is clamped to the month's end. */
export function addDateDuration(
  fromMs: number,
  duration: { years: number; months: number; days: number },
): string {
  const from = new Date(fromMs);
  const month = from.getUTCMonth() + duration.months + duration.years * 12;
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(from.getUTCDate(), lastDay) + duration.days;
  return new Date(Date.UTC(from.getUTCFullYear(), month, day)).toISOString().slice(0, 10);
}

/** Values used where a create leaves a field out; `close_date` may be an ISO duration from today, as "P90D". */
export const AccountDefaults = OpportunityInput.omit({ close_date: true }).extend({
  close_date: z
    .union([OpportunityInput.shape.close_date.unwrap(), z.string().regex(ISO_DURATION)], {
      error: 'must be a date as 2026-04-30 or an ISO 8601 duration in days, weeks, months or years as "P90D"',
    })
    .optional(),
});
export type AccountDefaults = z.infer<typeof AccountDefaults>;

export const MarkerSetting = z.strictObject({
  kind: z.enum(['external_id', 'custom_field', 'text']).meta({
    description:
      '`external_id`: a unique key the provider upserts by (Salesforce). `custom_field`: a text field that carries the job id. `text`: a token at the end of the description or note.',
  }),
  field: z.string().min(1).max(255).meta({ description: "The field's API name or id in the provider." }),
});
export type MarkerSetting = z.infer<typeof MarkerSetting>;

/** Account settings as stored; every part is optional, defaults come from the provider's descriptor. */
export const AccountSettings = z
  .strictObject({
    defaults: AccountDefaults.optional(),
    on_unsupported: z.enum(ON_UNSUPPORTED).optional(),
    marker: MarkerSetting.nullable().optional(),
    rate_limit: z
      .strictObject({
        requests: z.int().min(1).max(1_000_000).optional(),
        per_seconds: z.number().positive().max(86_400).optional(),
        concurrency: z.int().min(1).max(500).optional(),
        daily_reserve_percent: z.number().min(0).max(100).optional(),
      })
      .optional(),
    timeout_ms: z.int().min(100).max(600_000).optional(),
    reconcile: z
      .strictObject({
        settle_ms: z.int().min(0).max(3_600_000).optional(),
        probes: z.int().min(1).max(50).optional(),
      })
      .optional(),
    retry: z
      .strictObject({
        max_attempts: z.int().min(1).max(100).optional(),
        deadline_seconds: z
          .int()
          .min(1)
          .max(30 * 86_400)
          .optional(),
      })
      .optional(),
    read_back: z.boolean().optional(),
    salesforce: z
      .strictObject({
        api_version: z
          .string()
          .regex(/^v?\d{2,3}\.0$/, { error: 'must be a version as "62.0", at least 60.0' })
          .optional(),
        audit_fields: z.boolean().optional(),
      })
      .optional(),
  })
  .meta({ id: 'AccountSettings' });
export type AccountSettings = z.infer<typeof AccountSettings>;

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an absolute http(s) URL' }).max(2_000);
const secret = z.string().min(1).max(16_384);

/** Credentials by provider and type; write-only. */
export const CREDENTIALS = {
  salesforce: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('oauth2_refresh_token'),
      instance_url: httpUrl,
      login_url: httpUrl.optional(),
      client_id: secret,
      client_secret: secret.optional(),
      refresh_token: secret,
      access_token: secret.optional(),
    }),
    z.strictObject({
      type: z.literal('oauth2_client_credentials'),
      instance_url: httpUrl,
      client_id: secret,
      client_secret: secret,
    }),
    z.strictObject({
      type: z.literal('jwt_bearer'),
      login_url: httpUrl,
      client_id: secret,
      username: secret,
      private_key: secret.refine((pem) => readRsaKey(pem) !== undefined, {
        error: 'must be an unencrypted RSA private key in PEM (PKCS#8 or PKCS#1)',
      }),
    }),
  ]),
  close: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('api_key'), api_key: secret, base_url: httpUrl.optional() }),
    z.strictObject({
      type: z.literal('oauth2_refresh_token'),
      client_id: secret,
      client_secret: secret,
      refresh_token: secret,
      base_url: httpUrl.optional(),
      token_url: httpUrl.optional(),
    }),
  ]),
  capsule: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('personal_access_token'), token: secret, base_url: httpUrl.optional() }),
    z.strictObject({
      type: z.literal('oauth2_refresh_token'),
      client_id: secret,
      client_secret: secret,
      refresh_token: secret,
      base_url: httpUrl.optional(),
      token_url: httpUrl.optional(),
    }),
  ]),
} as const;

/** What a caller may send as `credentials` of any provider. */
export type SubmittedCredentials = z.infer<(typeof CREDENTIALS)[ProviderName]>;

/**
 * What rests sealed: the submitted credentials plus what token calls brought
 * (a current access token, a changed instance URL, when it ends).
 */
export type StoredCredentials = SubmittedCredentials & {
  access_token?: string;
  /** Salesforce may move an org; the last token reply's `instance_url` wins. */
  instance_url?: string;
  access_token_expires_at_ms?: number;
};

export type CustomFieldFact = {
  /** The key a caller uses in `custom_fields`. */
  key: string;
  label: string;
  /** Provider's type name. */
  type: string;
  creatable: boolean;
  multiple: boolean;
  options?: string[];
  externalId?: boolean;
  unique?: boolean;
  maxLength?: number;
};

/** Live values of one account, read from its provider through the gate; cached, refreshed on a miss. */
export type AccountFacts = {
  /** Version of the credentials they were read with; see `credentialsVersion` of the account. */
  grant?: number;
  fetchedAtMs: number;
  stages: {
    id: string;
    name: string;
    pipeline?: { id: string; name: string };
    status: 'open' | 'won' | 'lost';
    active: boolean;
  }[];
  owners: { id: string; name: string; email?: string; active: boolean }[];
  customFields: CustomFieldFact[];
  /** `organisation`: one currency for all; `per_record`: sent with each; `none`: no such field. */
  currency: { mode: 'organisation' | 'per_record' | 'none'; code?: string; allowed?: string[] };
  /** The provider user our calls run as: reconciliation looks only at records it created. */
  user: { id: string; name: string };
  organisation?: { id: string; name: string };
  /** Provider-specific switches a mapping needs (e.g. Salesforce `restrictedStage`). */
  features: Record<string, boolean>;
};
