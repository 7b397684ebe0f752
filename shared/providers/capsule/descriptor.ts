import type { FieldFailure } from '../../domain/failure.ts';
import type { AccountSettings, StoredCredentials } from '../../domain/integrated-account.ts';
import type { ProviderDescriptor } from '../port.ts';
import { definitionIdOf } from './custom-fields.ts';
import { classify, failureTable } from './failures.ts';
import { readLimits } from './limits.ts';
import { plan, REQUIRED } from './mapping.ts';
import { unify } from './unify.ts';

const ORIGIN = 'https://api.capsulecrm.com';

/** The address before `/api/v2`, whatever form the account was given it in. */
export function baseUrl(credentials: StoredCredentials): string {
  const given = 'base_url' in credentials ? credentials.base_url : undefined;
  return (given ?? ORIGIN).replace(/\/+$/, '').replace(/\/api(?:\/v2)?$/, '');
}

/** The app's own address needs the account's subdomain, which credentials do not tell: so the API's. */
export function recordUrl(credentials: StoredCredentials, remoteId: string): string {
  return `${baseUrl(credentials)}/api/v2/opportunities/${encodeURIComponent(remoteId)}`;
}

function checkSettings(settings: AccountSettings): FieldFailure[] {
  const failures: FieldFailure[] = [];
  const failed = (pointer: string, message: string) =>
    failures.push({ pointer, code: 'invalid_body', message });
  if (settings.salesforce) failed('/settings/salesforce', 'is for Salesforce accounts only');
  const { marker } = settings;
  if (marker?.kind === 'external_id')
    failed('/settings/marker/kind', 'Capsule has no unique keys; use custom_field or text');
  if (marker?.kind === 'custom_field' && definitionIdOf(marker.field) === undefined)
    failed('/settings/marker/field', 'must be the definition id of an opportunity text field, as "1234"');
  if (marker?.kind === 'text' && marker.field !== 'description')
    failed(
      '/settings/marker/field',
      'must be "description", the only free text of an opportunity in Capsule',
    );
  return failures;
}

/** Capsule. @see https://developer.capsulecrm.com/v2/models/opportunity */
export const capsule: ProviderDescriptor = {
  name: 'capsule',
  label: 'Capsule',
  docsUrl: 'https://developer.capsulecrm.com/v2/operations/Opportunity',
  support: {
    // The unified page calls it supported; Capsule itself refuses an opportunity without a party, which may
    // also be the first contact: see `required`.
    account: 'supported',
    name: 'required',
    amount: 'supported',
    owner: 'supported',
    close_date: 'supported',
    custom_fields: 'supported',
    created_at: 'unsupported',
    description: 'supported',
    contact: 'supported',
    stage: 'required',
    currency: 'supported',
    tags: 'supported',
    remote_data: 'supported',
  },
  decidedByFacts: [],
  notes: {
    account:
      'The party, a person or an organisation. Without it the first contact becomes the party; one of the two is required.',
    amount: 'In major units; needs a currency.',
    owner: "Default: the token's user.",
    close_date: 'Written as expectedCloseOn.',
    custom_fields: 'By definition id or name. Setting a field of a data tag does not attach the tag.',
    created_at: 'Capsule sets it itself.',
    contact: 'Further contacts are added one by one after the create.',
    stage:
      'A milestone by id or name; where pipelines share names, remote_data.pipeline (id or name) tells them apart.',
    currency: 'Kept only together with an amount.',
    tags: 'By id, or by name: a missing tag is made.',
    remote_data: 'Merged into the opportunity object; fields are merged one by one.',
  },
  required: REQUIRED,
  allowedOrigins: [ORIGIN],
  baseUrl,
  markerKinds: ['custom_field', 'text'],
  // 4,000 an hour and user; no burst limit is documented, so the hour is spent at a pace no one would call one.
  rateLimit: {
    requests: 4000,
    perSeconds: 3600,
    concurrency: 8,
    paceRequestsPerSecond: 10,
    resetStepMs: 1_000,
  },
  // How long a new record may stay out of the lists is not documented; a minute, probed five times.
  reconcile: { settleMs: 60_000, probes: 5 },
  createAnswersRecord: true,
  recordUrl,
  checkSettings,
  plan,
  unify,
  classify,
  failureTable,
  readLimits,
};
