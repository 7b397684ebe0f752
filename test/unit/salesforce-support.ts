import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { OpportunityInput } from '../../shared/domain/opportunity.ts';
import type { AnsweredCall, MappingInput, ProviderRequest } from '../../shared/providers/port.ts';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';

export const JOB_ID = '01980000-0000-7000-8000-00000000002a';

export const IDS = {
  account: '0015e00000AbCdEAAV',
  contact: '0035e00000AbCdEAAV',
  secondContact: '0035e00000AbCdFAAV',
  user: '0055e00000AbCdEAAV',
};

export function someFacts(over: Partial<AccountFacts> = {}): AccountFacts {
  return {
    fetchedAtMs: 0,
    stages: [
      { id: 'Prospecting', name: 'Akquise', status: 'open', active: true },
      { id: 'Proposal/Price Quote', name: 'Angebot', status: 'open', active: true },
      { id: 'Old', name: 'Old', status: 'open', active: false },
      { id: 'Twin A', name: 'Twin', status: 'open', active: true },
      { id: 'Twin B', name: 'Twin', status: 'open', active: true },
      { id: 'Closed Won', name: 'Closed Won', status: 'won', active: true },
      { id: 'Closed Lost', name: 'Closed Lost', status: 'lost', active: true },
    ],
    owners: [],
    customFields: [
      { key: 'Region__c', label: 'Region', type: 'string', creatable: true, multiple: false, maxLength: 40 },
      { key: 'Colors__c', label: 'Colors', type: 'multipicklist', creatable: true, multiple: true },
      { key: 'Score__c', label: 'Score', type: 'double', creatable: true, multiple: false },
      { key: 'Sum__c', label: 'Sum', type: 'double', creatable: false, multiple: false },
      {
        key: 'Key__c',
        label: 'Key',
        type: 'string',
        creatable: true,
        multiple: false,
        externalId: true,
        unique: true,
        maxLength: 40,
      },
      {
        key: 'NextStep',
        label: 'Next Step',
        type: 'string',
        creatable: true,
        multiple: false,
        maxLength: 255,
      },
    ],
    currency: { mode: 'organisation', code: 'EUR' },
    user: { id: IDS.user, name: 'Integration' },
    features: { contactIdOnCreate: true },
    ...over,
  };
}

export const EXTERNAL_ID = { kind: 'external_id', field: 'Key__c', value: JOB_ID } as const;
export const TEXT_FIELD = { kind: 'custom_field', field: 'Key__c', value: JOB_ID } as const;

export function anOpportunity(over: Partial<OpportunityInput> = {}): OpportunityInput {
  return { name: 'Big deal', stage: { id: 'Prospecting' }, close_date: '2026-04-30', ...over };
}

export function planOf(opportunity: Partial<OpportunityInput>, over: Partial<MappingInput> = {}) {
  return salesforce.plan({
    opportunity: anOpportunity(opportunity),
    settings: {},
    facts: someFacts(),
    remoteQuery: {},
    marker: undefined,
    ...over,
  });
}

/** The plan, or a test failure naming what was refused. */
export function plannedOf(opportunity: Partial<OpportunityInput>, over: Partial<MappingInput> = {}) {
  const result = planOf(opportunity, over);
  if (!result.ok) throw new Error(`not planned: ${JSON.stringify(result.failures)}`);
  return result;
}

/** The failures, or a test failure if it was planned. */
export function failuresOf(opportunity: Partial<OpportunityInput>, over: Partial<MappingInput> = {}) {
  const result = planOf(opportunity, over);
  if (result.ok) throw new Error('planned although it should be refused');
  return result;
}

export function bodyOf(opportunity: Partial<OpportunityInput>, over: Partial<MappingInput> = {}) {
  return plannedOf(opportunity, over).plan.create.body;
}

export function anAnswer(answer: Partial<AnsweredCall> & { status: number }): AnsweredCall {
  return { kind: 'answered', headers: {}, body: undefined, receivedAtMs: 1_000_000, ...answer };
}

export const CREATE: ProviderRequest = {
  method: 'POST',
  path: '/services/data/v62.0/sobjects/Opportunity',
  body: { Name: 'Big deal', AccountId: IDS.account, CloseDate: '2026-13-01', Region__c: 'x' },
  purpose: 'create',
};

export const UPSERT: ProviderRequest = {
  ...CREATE,
  method: 'PATCH',
  path: `/services/data/v62.0/sobjects/Opportunity/Key__c/${JOB_ID}`,
};
