import { expect, it } from 'vitest';
import type { AccountSettings } from '../../shared/domain/integrated-account.ts';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { descriptorOf } from '../../shared/providers/descriptors.ts';
import { planOpportunity } from '../../shared/use-cases/plan-opportunity.ts';
import { capsuleFacts, JOB_ID } from './capsule-support.ts';

const defaults = { account: { id: '4711' }, stage: { id: '13' }, currency: 'EUR' };

const planIn = (settings: AccountSettings, body: Record<string, unknown>) =>
  planOpportunity({
    descriptor: descriptorOf('capsule'),
    settings,
    body: OpportunityInput.parse(body),
    query: {},
    facts: capsuleFacts(),
    jobId: JOB_ID,
    nowMs: 0,
  });

it.each(['reject', 'warn', 'ignore'] as const)(
  'the account’s currency is not applied where there is no amount, and nothing is said of it (%s)',
  (on_unsupported) => {
    const planned = planIn({ defaults, on_unsupported }, { name: 'Renewal' });
    expect(planned).toMatchObject({ ok: true, warnings: [] });
    expect(planned.appliedDefaults).toEqual({ account: { id: '4711' }, stage: { id: '13' } });
  },
);

it('the account’s currency goes with an amount', () => {
  const planned = planIn({ defaults }, { name: 'Renewal', amount: 5 });
  expect(planned).toMatchObject({ ok: true, warnings: [], appliedDefaults: { currency: 'EUR' } });
});

it('a currency that the caller gives without an amount is unsupported', () => {
  const body = { name: 'Renewal', currency: 'EUR' };
  expect(planIn({ defaults }, body)).toMatchObject({
    ok: true,
    warnings: [{ code: 'currency_without_amount', pointer: '/currency' }],
  });
  expect(planIn({ defaults, on_unsupported: 'reject' }, body)).toMatchObject({
    ok: false,
    failures: [{ code: 'currency_without_amount', pointer: '/currency' }],
  });
});
