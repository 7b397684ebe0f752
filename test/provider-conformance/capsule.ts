import type { ProviderCase } from './behaviours.ts';

export const capsuleCase: ProviderCase = {
  provider: 'capsule',
  full: {
    body: {
      account: { id: '4711' },
      description: 'Two sites',
      amount: 1250.55,
      currency: 'EUR',
      close_date: '2026-12-24',
      contact: [{ id: '4712' }, { id: '4713' }],
      stage: { name: 'Qualified' },
      tags: [{ name: 'Hot' }, { name: 'Brand new' }],
      custom_fields: { Seats: 12, 'External Reference': 'A-1', Approved: true },
    },
    expected: {
      account: { id: '4711' },
      description: 'Two sites',
      amount: 1250.55,
      currency: 'EUR',
      close_date: '2026-12-24',
      stage: { name: 'Qualified' },
      status: 'open',
    },
  },
  bad: [
    { what: 'a party that does not exist', body: { account: { id: '999999999' } }, pointer: '/account/id' },
    { what: 'an owner that does not exist', body: { owner: { id: '999999999' } }, pointer: '/owner/id' },
    { what: 'a stage it does not know', body: { stage: { name: 'Dreaming' } }, pointer: '/stage/name' },
    { what: 'an amount without a currency', body: { amount: 5 }, pointer: '/currency' },
    { what: 'a currency nobody has', body: { amount: 5, currency: 'XTS' }, pointer: '/currency' },
  ],
};
