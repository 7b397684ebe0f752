import type { FieldFailure } from '../../domain/failure.ts';
import type { AccountSettings, StoredCredentials } from '../../domain/integrated-account.ts';
import type { ProviderDescriptor } from '../port.ts';
import { fieldIdOf, notKept } from './custom-fields.ts';
import { classify, failureTable } from './failures.ts';
import { readLimits } from './limits.ts';
import { plan, REQUIRED } from './mapping.ts';
import { unify } from './unify.ts';

const ORIGIN = 'https://api.close.com';

/** The address before `/api/v1`, whatever form the account was given it in. */
export function baseUrl(credentials: StoredCredentials): string {
  const given = 'base_url' in credentials ? credentials.base_url : undefined;
  return (given ?? ORIGIN).replace(/\/+$/, '').replace(/\/api(?:\/v1)?$/, '');
}

/** In the app for Close itself; anything else (a test double) has only the API to show. */
export function recordUrl(credentials: StoredCredentials, remoteId: string): string {
  const base = baseUrl(credentials);
  const id = encodeURIComponent(remoteId);
  return base === ORIGIN ? `https://app.close.com/opportunities/${id}/` : `${base}/api/v1/opportunity/${id}/`;
}

function checkSettings(settings: AccountSettings): FieldFailure[] {
  const failures: FieldFailure[] = [];
  const failed = (pointer: string, message: string) =>
    failures.push({ pointer, code: 'invalid_body', message });
  if (settings.salesforce) failed('/settings/salesforce', 'is for Salesforce accounts only');
  const { marker } = settings;
  if (marker?.kind === 'external_id')
    failed('/settings/marker/kind', 'Close has no unique keys; use custom_field or text');
  if (marker?.kind === 'custom_field' && fieldIdOf(marker.field) === undefined)
    failed('/settings/marker/field', 'must be the id of an opportunity custom field of type text, as "cf_…"');
  if (marker?.kind === 'text' && marker.field !== 'note')
    failed('/settings/marker/field', 'must be "note", the only free text of an opportunity in Close');
  return failures;
}

/** Close. @see https://developer.close.com/api/resources/opportunities */
export const close: ProviderDescriptor = {
  name: 'close',
  label: 'Close',
  docsUrl: 'https://developer.close.com/api/resources/opportunities/create',
  support: {
    account: 'required',
    name: 'supported',
    amount: 'supported',
    owner: 'required',
    close_date: 'supported',
    custom_fields: 'supported',
    created_at: 'supported',
    description: 'supported',
    contact: 'supported',
    stage: 'supported',
    currency: 'unsupported',
    tags: 'unsupported',
    remote_data: 'supported',
  },
  decidedByFacts: ['currency'],
  notes: {
    account: "The lead's id (lead_…).",
    name: 'The first line of the note: Close has no title. Line breaks become spaces.',
    amount: "Sent as whole minor units of the organisation's currency.",
    close_date: 'Written as date_won, which Close shows as the expected close date while the deal is open.',
    custom_fields: 'By id (cf_…, with or without "custom."), or by label where it is unique.',
    created_at: 'Backdates the record; a date alone is its midnight in UTC.',
    description: 'Follows the name in the note after a blank line.',
    contact: 'The first contact only; it must be on the lead. Further contacts count as unsupported.',
    stage:
      'A status by id or label; remote_data.pipeline_id tells pipelines apart. Default: the first status.',
    currency: "The organisation's own currency is accepted and not sent; another one counts as unsupported.",
    remote_data: 'For example value_period (one_time, monthly, annual), confidence, pipeline_id.',
  },
  required: REQUIRED,
  allowedOrigins: [ORIGIN],
  baseUrl,
  markerKinds: ['custom_field', 'text'],
  // Close counts per group of endpoints and publishes no numbers; the lowest limit seen in its headers is
  // 60 a second, shared by everything the key does. A third of it leaves room for the customer's other tools.
  rateLimit: { requests: 20, perSeconds: 1, concurrency: 8 },
  // Lists were seen stale for 30 to 60 s after a write; 90 s is past that.
  reconcile: { settleMs: 90_000, probes: 5 },
  createAnswersRecord: true,
  recordUrl,
  checkSettings,
  plan,
  unify,
  notKept,
  classify,
  failureTable,
  readLimits,
};
