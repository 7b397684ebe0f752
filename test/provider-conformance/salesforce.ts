import { makeId } from '../../sandbox/salesforce/ids.ts';
import type { ProviderCase } from './behaviours.ts';

const ACCOUNT = makeId('001', 1);

export const salesforceCase: ProviderCase = {
  provider: 'salesforce',
  full: {
    body: {
      account: { id: ACCOUNT },
      owner: { id: makeId('005', 2) },
      description: 'Two sites',
      amount: 1250.55,
      close_date: '2026-12-24',
      contact: [{ id: makeId('003', 1) }, { id: makeId('003', 2) }],
      stage: { name: 'Prospecting' },
      custom_fields: { Region__c: 'EMEA', Score__c: 7.5, Renewal__c: true, Segments__c: ['SMB'] },
    },
    expected: {
      account: { id: ACCOUNT },
      description: 'Two sites',
      amount: 1250.55,
      close_date: '2026-12-24',
      contact: [{ id: makeId('003', 1) }, { id: makeId('003', 2) }],
      stage: { name: 'Prospecting' },
      status: 'open',
    },
  },
  bad: [
    {
      what: 'an account that does not exist',
      body: { account: { id: makeId('001', 999) } },
      pointer: '/account/id',
    },
    {
      what: 'an owner that does not exist',
      body: { owner: { id: makeId('005', 999) } },
      pointer: '/owner/id',
    },
    { what: 'a stage it does not know', body: { stage: { name: 'Dreaming' } }, pointer: '/stage/name' },
    {
      what: 'a value outside of a picklist',
      body: { custom_fields: { Tier__c: 'Tin' } },
      pointer: '/custom_fields/Tier__c',
    },
  ],
  // The row is about the key of the very request: the sample names another field than the sandbox has.
  adapt: (row) =>
    row.id === 'own_key_taken'
      ? {
          settings: { marker: { kind: 'external_id', field: 'Dealwright_Id__c' } },
          body: JSON.parse(
            JSON.stringify(row.sample.body).replaceAll('Dealwright_Key__c', 'Dealwright_Id__c'),
          ),
        }
      : undefined,
};
