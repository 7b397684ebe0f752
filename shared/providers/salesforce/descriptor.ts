import type { StoredCredentials } from '../../domain/integrated-account.ts';
import type { OpportunityInput } from '../../domain/opportunity.ts';
import type { ProviderDescriptor } from '../port.ts';
import { classify, failureTable, readLimits } from './failures.ts';
import { plan } from './mapping.ts';
import { checkSettings } from './marker.ts';
import { stripApiPath } from './paths.ts';
import { DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, unsupportedIn } from './standard-fields.ts';
import { unify } from './unify.ts';

/** Salesforce ends every REST request after 10 minutes; until then a lost create may still commit. */
const REQUEST_CAP_MS = 600_000;

/** The org's own host: the last token reply's `instance_url`, or the login host before there was one. */
function baseUrl(credentials: StoredCredentials): string {
  const login = 'login_url' in credentials ? credentials.login_url : undefined;
  return stripApiPath(credentials.instance_url ?? login ?? 'https://login.salesforce.com');
}

/** Where a person sees an opportunity. */
export function recordUrl(credentials: StoredCredentials, remoteId: string): string {
  return `${baseUrl(credentials)}/lightning/r/Opportunity/${remoteId}/view`;
}

const isStageGiven = ({ stage }: OpportunityInput) => stage?.id !== undefined || stage?.name !== undefined;

/** Salesforce Opportunities over the REST API (sObject rows). Pure. */
export const salesforce: ProviderDescriptor = {
  name: 'salesforce',
  label: 'Salesforce',
  docsUrl: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_create.htm',
  support: {
    account: 'supported',
    name: 'required',
    amount: 'supported',
    owner: 'supported',
    close_date: 'required',
    custom_fields: 'supported',
    created_at: 'supported',
    description: 'supported',
    contact: 'supported',
    stage: 'required',
    currency: 'supported',
    tags: 'unsupported',
    remote_data: 'supported',
  },
  unsupportedIn,
  decidedByFacts: ['currency'],
  notes: {
    account: 'Id of an Account (001…).',
    name: 'At most 120 characters; longer ones are refused, never cut.',
    amount: 'Stored with two decimals whatever the currency; more are rounded with a warning.',
    owner: 'Id of an active User (005…); without it the connected user owns the opportunity.',
    close_date: 'Salesforce keeps a date: the date part is used as written, whatever the offset.',
    custom_fields:
      'By API name (Region__c); lists become multi-select values. Standard fields without a unified name (NextStep) work too.',
    created_at:
      'Only with the permission "Set Audit Fields upon Record Creation" and settings.salesforce.audit_fields; otherwise unsupported.',
    description: 'At most 32,000 characters.',
    contact:
      'Ids of Contacts (003…); the first becomes the primary contact role. With an external-id marker all roles follow the create.',
    stage:
      'By picklist value (id) or by value or label (name). Checked against the account, because Salesforce itself stores unknown stages.',
    currency: 'Only in organisations with several currencies (CurrencyIsoCode); otherwise unsupported.',
    tags: 'The Opportunity has no field for tags.',
  },
  bounds: {
    name: { maxLength: NAME_CHARS_MAX },
    description: { maxLength: DESCRIPTION_CHARS_MAX },
  },
  required: [
    {
      field: 'name',
      pointer: '/name',
      isGiven: ({ name }) => name !== undefined,
      remoteKeys: ['Name'],
      message: 'Salesforce needs a name',
    },
    {
      field: 'stage',
      pointer: '/stage',
      isGiven: isStageGiven,
      remoteKeys: ['StageName'],
      message: 'Salesforce needs a stage (stage.id or stage.name); it has no default for it',
    },
    {
      field: 'close_date',
      pointer: '/close_date',
      isGiven: (opportunity) => opportunity.close_date !== undefined,
      remoteKeys: ['CloseDate'],
      message: 'Salesforce needs a close date',
    },
  ],
  allowedOrigins: [
    'https://*.my.salesforce.com',
    // One label more by the kind of organisation ("My Domain URL Formats").
    ...['sandbox', 'develop', 'scratch', 'trailblaze', 'demo', 'free', 'patch'].map(
      (kind) => `https://*.${kind}.my.salesforce.com`,
    ),
    'https://login.salesforce.com',
    'https://test.salesforce.com',
  ],
  baseUrl,
  markerKinds: ['external_id', 'custom_field'],
  // Salesforce limits calls per 24 hours (learned from Sforce-Limit-Info) and requests that run for 20 s or longer, not
  // calls per second. 25/s is a pace any organisation serves: at 200-300 ms a create, 8 at once reach it, and 8 stay
  // far below the 25 long requests it may have (a developer edition has 5, should all 8 ever take 20 s).
  rateLimit: { requests: 25, perSeconds: 1, concurrency: 8 },
  reconcile: { settleMs: REQUEST_CAP_MS, probes: 6 },
  createAnswersRecord: false,
  recordUrl,
  checkSettings,
  plan,
  unify,
  classify,
  failureTable,
  readLimits,
};
