import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { plan } from '../../shared/providers/capsule/mapping.ts';
import { isJsonObject } from '../../shared/providers/merge-remote-data.ts';
import type { MappingInput, MappingResult, WritePlan } from '../../shared/providers/port.ts';

export const JOB_ID = '019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b';

export function capsuleFacts(overrides: Partial<AccountFacts> = {}): AccountFacts {
  const sales = { id: '31', name: 'Sales' };
  const renewals = { id: '32', name: 'Renewals' };
  const field = (key: string, label: string, type: string, options?: string[]) => ({
    key,
    label,
    type,
    creatable: true,
    multiple: type === 'multiselect',
    ...(options ? { options } : {}),
  });
  return {
    fetchedAtMs: 0,
    stages: [
      { id: '13', name: 'Proposal', pipeline: sales, status: 'open', active: true },
      { id: '15', name: 'Won', pipeline: sales, status: 'won', active: true },
      { id: '23', name: 'Proposal', pipeline: renewals, status: 'open', active: true },
    ],
    owners: [],
    customFields: [
      field('901', 'Reference', 'text'),
      field('902', 'Seats', 'number'),
      field('903', 'Renewal Date', 'date'),
      field('904', 'Source', 'list', ['Web', 'Event']),
      field('905', 'Products', 'multiselect', ['Basic', 'Plus', 'Support']),
      field('906', 'Approved', 'boolean'),
      field('907', 'Contract', 'link'),
    ],
    currency: { mode: 'per_record', allowed: ['EUR', 'GBP', 'JPY'] },
    user: { id: '61', name: 'Ann' },
    features: {},
    ...overrides,
  };
}

export type PlanOverrides = Partial<Omit<MappingInput, 'opportunity'>>;

/** Plans a minimal valid opportunity with `fields` over it; facts are given unless overridden. */
export function planCapsule(fields: Record<string, unknown>, overrides: PlanOverrides = {}): MappingResult {
  const minimum = { account: { id: '4711' }, name: 'Renewal', stage: { id: '13' } };
  return plan({
    opportunity: OpportunityInput.parse({ ...minimum, ...fields }),
    settings: {},
    facts: capsuleFacts(),
    remoteQuery: {},
    marker: undefined,
    ...overrides,
  });
}

/** The opportunity object inside the wrapper. */
export function capsuleBody(written: WritePlan): Record<string, unknown> {
  const { body } = written.create;
  return isJsonObject(body) && isJsonObject(body.opportunity) ? body.opportunity : {};
}

export function plannedCapsule(fields: Record<string, unknown>, overrides: PlanOverrides = {}) {
  const result = planCapsule(fields, overrides);
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return { ...result, body: capsuleBody(result.plan) };
}

export function failuresOfCapsule(fields: Record<string, unknown>, overrides: PlanOverrides = {}) {
  const result = planCapsule(fields, overrides);
  return result.ok ? [] : result.failures;
}
