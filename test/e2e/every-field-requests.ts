/** Requests that use every field of the unified model, for the seeds of the sandbox. */
export type EveryField = {
  provider: 'salesforce' | 'close' | 'capsule';
  label: string;
  introduction: string;
  credentials: (sandbox: string) => Record<string, unknown>;
  settings: Record<string, unknown>;
  body: Record<string, unknown>;
  expected: Record<string, unknown>;
};

const description = 'Three sites, pilot in the first quarter.';

export const EVERY_FIELD: EveryField[] = [
  {
    provider: 'salesforce',
    label: 'Salesforce',
    introduction:
      'The org has one currency and its integration user may not set audit fields: `currency`, `created_at` and `tags` have no place and are reported. The first contact becomes the primary contact role with the create, every further one a call after it.',
    credentials: (sandbox) => ({
      type: 'oauth2_refresh_token',
      instance_url: `${sandbox}/salesforce`,
      login_url: `${sandbox}/salesforce`,
      client_id: 'demo-salesforce-client',
      client_secret: 'demo-salesforce-secret',
      refresh_token: 'demo-salesforce-refresh',
    }),
    settings: {},
    body: {
      account: { id: '001Dw0000000001IAA' },
      name: 'Northern region renewal',
      amount: 1250.5,
      owner: { id: '005Dw0000000002IAA' },
      close_date: '2027-03-31T00:00:00Z',
      custom_fields: { Region__c: 'North', Score__c: 7, Segments__c: ['A', 'B'] },
      created_at: '2026-01-15T09:00:00Z',
      description,
      contact: [{ id: '003Dw0000000001IAA' }, { id: '003Dw0000000002IAA' }],
      stage: { name: 'Proposal/Price Quote' },
      currency: 'EUR',
      tags: [{ name: 'Hot' }],
      remote_data: { NextStep: 'Call the board' },
    },
    expected: {
      name: 'Northern region renewal',
      amount: 1250.5,
      close_date: '2027-03-31',
      description,
      owner: { id: '005Dw0000000002IAA' },
      account: { id: '001Dw0000000001IAA' },
      contact: [{ id: '003Dw0000000001IAA' }, { id: '003Dw0000000002IAA' }],
      stage: { name: 'Proposal/Price Quote' },
      status: 'open',
    },
  },
  {
    provider: 'close',
    label: 'Close',
    introduction:
      'Close keeps money in minor units of the one currency of the organisation, has no title (the first line of the note is it), one contact and no tags. What has no place is reported.',
    credentials: (sandbox) => ({ type: 'api_key', api_key: 'demo-close-key', base_url: `${sandbox}/close` }),
    settings: {},
    body: {
      account: { id: 'lead_Northwind' },
      name: 'Northern region renewal',
      amount: 1250.5,
      owner: { id: 'user_Bob' },
      close_date: '2027-03-31T00:00:00Z',
      custom_fields: { cf_Seats: 40, cf_Products: ['Basic', 'Support'] },
      created_at: '2026-01-15T09:00:00Z',
      description,
      contact: [{ id: 'cont_NorthwindNora' }, { id: 'cont_NorthwindNils' }],
      stage: { id: 'stat_SalesProposal' },
      currency: 'EUR',
      tags: [{ name: 'Hot' }],
      remote_data: { confidence: 60, value_period: 'annual' },
    },
    expected: {
      name: 'Northern region renewal',
      amount: 1250.5,
      close_date: '2027-03-31',
      description,
      owner: { id: 'user_Bob' },
      account: { id: 'lead_Northwind' },
      contact: [{ id: 'cont_NorthwindNora' }],
      stage: { id: 'stat_SalesProposal' },
      status: 'open',
      currency: 'EUR',
    },
  },
  {
    provider: 'capsule',
    label: 'Capsule',
    introduction:
      'Capsule needs a party: the account, or else the first contact. Every further contact is a call after the create. `created_at` cannot be set there and is reported.',
    credentials: (sandbox) => ({
      type: 'personal_access_token',
      token: 'demo-capsule-token',
      base_url: `${sandbox}/capsule`,
    }),
    settings: {},
    body: {
      account: { id: '4711' },
      name: 'Northern region renewal',
      amount: 1250.5,
      owner: { id: '62' },
      close_date: '2027-03-31T00:00:00Z',
      custom_fields: { '901': 'R-77', '902': 40 },
      created_at: '2026-01-15T09:00:00Z',
      description,
      contact: [{ id: '4712' }, { id: '4713' }],
      stage: { name: 'Bid' },
      currency: 'EUR',
      tags: [{ name: 'Hot' }, { id: '802' }],
      remote_data: { probability: 40 },
    },
    expected: {
      name: 'Northern region renewal',
      amount: 1250.5,
      close_date: '2027-03-31',
      description,
      owner: { id: '62' },
      account: { id: '4711' },
      stage: { name: 'Bid' },
      status: 'open',
      currency: 'EUR',
    },
  },
];
