import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { plan } from '../../shared/providers/close/mapping.ts';
import { bodyOf } from '../../shared/providers/close/plan-body.ts';
import type { MappingInput, MappingResult } from '../../shared/providers/port.ts';

export const JOB_ID = '019a0b1c-2d3e-7f40-8a5b-6c7d8e9f0a1b';

export function closeFacts(overrides: Partial<AccountFacts> = {}): AccountFacts {
  const sales = { id: 'pipe_1', name: 'Sales' };
  const renewals = { id: 'pipe_2', name: 'Renewals' };
  return {
    fetchedAtMs: 0,
    stages: [
      { id: 'stat_1', name: 'Proposal', pipeline: sales, status: 'open', active: true },
      { id: 'stat_2', name: 'Won', pipeline: sales, status: 'won', active: true },
      { id: 'stat_3', name: 'Proposal', pipeline: renewals, status: 'open', active: true },
      { id: 'stat_4', name: 'Churned', pipeline: renewals, status: 'lost', active: true },
    ],
    owners: [],
    customFields: [
      { key: 'cf_ref', label: 'Reference', type: 'text', creatable: true, multiple: false },
      { key: 'cf_seats', label: 'Seats', type: 'number', creatable: true, multiple: false },
      { key: 'cf_products', label: 'Products', type: 'choices', creatable: true, multiple: true },
      { key: 'cf_twin1', label: 'Twin', type: 'text', creatable: true, multiple: false },
      { key: 'cf_twin2', label: 'twin', type: 'text', creatable: true, multiple: false },
    ],
    currency: { mode: 'organisation', code: 'EUR' },
    user: { id: 'user_me', name: 'Me' },
    features: { customFieldsHidden: false },
    ...overrides,
  };
}

export type PlanOverrides = Partial<Omit<MappingInput, 'opportunity'>>;

/** Plans a minimal valid opportunity with `fields` over it; facts are given unless overridden. */
export function planClose(fields: Record<string, unknown>, overrides: PlanOverrides = {}): MappingResult {
  const minimum = { account: { id: 'lead_1' }, owner: { id: 'user_1' } };
  return plan({
    opportunity: OpportunityInput.parse({ ...minimum, ...fields }),
    settings: {},
    facts: closeFacts(),
    remoteQuery: {},
    marker: undefined,
    ...overrides,
  });
}

export function plannedClose(fields: Record<string, unknown>, overrides: PlanOverrides = {}) {
  const result = planClose(fields, overrides);
  if (!result.ok) throw new Error(JSON.stringify(result.failures));
  return { ...result, body: bodyOf(result.plan) };
}

export function failuresOfClose(fields: Record<string, unknown>, overrides: PlanOverrides = {}) {
  const result = planClose(fields, overrides);
  return result.ok ? [] : result.failures;
}
