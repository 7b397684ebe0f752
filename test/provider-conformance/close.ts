import type { ProviderCase } from './behaviours.ts';

export const closeCase: ProviderCase = {
  provider: 'close',
  full: {
    body: {
      account: { id: 'lead_Northwind' },
      owner: { id: 'user_Ann' },
      description: 'Two sites',
      amount: 1250.55,
      currency: 'EUR',
      close_date: '2026-12-24',
      created_at: '2026-01-05T10:00:00Z',
      contact: [{ id: 'cont_NorthwindNora' }],
      stage: { name: 'Qualified' },
      custom_fields: { Seats: 12, 'External Reference': 'A-1', Products: ['Basic', 'Plus'] },
    },
    expected: {
      account: { id: 'lead_Northwind' },
      owner: { id: 'user_Ann' },
      description: 'Two sites',
      amount: 1250.55,
      currency: 'EUR',
      stage: { id: 'stat_SalesQualified', name: 'Qualified' },
      status: 'open',
    },
  },
  bad: [
    { what: 'a lead that does not exist', body: { account: { id: 'lead_Nobody' } }, pointer: '/account/id' },
    { what: 'an owner that does not exist', body: { owner: { id: 'user_Nobody' } }, pointer: '/owner/id' },
    { what: 'a stage it does not know', body: { stage: { name: 'Dreaming' } }, pointer: '/stage/name' },
    {
      what: 'a contact of another lead',
      body: { contact: [{ id: 'cont_InitechIvan' }] },
      pointer: '/contact/0/id',
    },
    {
      what: 'a text where a number belongs',
      body: { custom_fields: { cf_Seats: 'many' } },
      pointer: '/custom_fields/cf_Seats',
    },
  ],
};
