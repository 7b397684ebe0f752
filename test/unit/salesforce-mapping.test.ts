import { describe, expect, it } from 'vitest';
import { salesforce } from '../../shared/providers/salesforce/descriptor.ts';
import {
  anOpportunity,
  bodyOf,
  EXTERNAL_ID,
  failuresOf,
  IDS,
  JOB_ID,
  plannedOf,
  someFacts,
  TEXT_FIELD,
} from './salesforce-support.ts';

const AUDIT = { settings: { salesforce: { audit_fields: true } } };
const MULTI = { facts: someFacts({ currency: { mode: 'per_record', allowed: ['EUR', 'JPY'] } }) };

describe('the Salesforce request', () => {
  it('is one insert of the minimum', () => {
    expect(plannedOf({}).plan.create).toEqual({
      method: 'POST',
      path: '/services/data/v62.0/sobjects/Opportunity',
      body: { Name: 'Big deal', StageName: 'Prospecting', CloseDate: '2026-04-30' },
      purpose: 'create',
    });
  });

  it.each([
    ['v63.0', '/services/data/v63.0/sobjects/Opportunity'],
    ['60.0', '/services/data/v60.0/sobjects/Opportunity'],
  ])('uses API version %s', (api_version, path) => {
    expect(plannedOf({}, { settings: { salesforce: { api_version } } }).plan.create.path).toBe(path);
  });

  it('is an upsert by the external id, whose key is in the path only', () => {
    const { create } = plannedOf({ remote_data: { key__c: 'mine' } }, { marker: EXTERNAL_ID }).plan;
    expect(create.method).toBe('PATCH');
    expect(create.path).toBe(`/services/data/v62.0/sobjects/Opportunity/Key__c/${JOB_ID}`);
    expect(Object.keys(create.body ?? {}).map((key) => key.toLowerCase())).not.toContain('key__c');
  });

  it('carries the job id in the marker field, which remote_data cannot override', () => {
    const planned = plannedOf({ remote_data: { KEY__C: 'mine', Type: 'New' } }, { marker: TEXT_FIELD });
    expect(planned.plan.create.body).toMatchObject({ Key__c: JOB_ID, Type: 'New' });
    expect(planned.plan.create.body).not.toHaveProperty('KEY__C');
    expect(planned.warnings).toMatchObject([{ code: 'marker_protected', pointer: '/remote_data/KEY__C' }]);
  });

  it('passes remote_query on and lets remote_data win, in whatever case', () => {
    const { create } = plannedOf(
      { amount: 5, remote_data: { amount: -7, stagename: 'Anything' } },
      { remoteQuery: { foo: { bar: 'baz' } } },
    ).plan;
    expect(create.query).toEqual({ foo: { bar: 'baz' } });
    expect(create.body).toEqual({
      Name: 'Big deal',
      CloseDate: '2026-04-30',
      amount: -7,
      stagename: 'Anything',
    });
  });

  it('knows what identifies the record and its parent', () => {
    const { plan } = plannedOf({ name: ' Big ', account: { id: IDS.account.slice(0, 15) }, amount: 1.005 });
    expect(plan.parentId).toBe(IDS.account);
    expect(plan.content).toEqual({
      Name: 'Big',
      AccountId: IDS.account,
      Amount: 1.01,
      CloseDate: '2026-04-30',
      StageName: 'Prospecting',
    });
  });
});

describe('each field', () => {
  it.each([
    [
      'name of 120 characters, counted as a person does',
      { name: '😀'.repeat(120) },
      { Name: '😀'.repeat(120) },
    ],
    ['description', { description: 'a\nb' }, { Description: 'a\nb' }],
    ['amount', { amount: 123456789012345 }, { Amount: 123456789012345 }],
    ['amount of cents', { amount: 0.1 }, { Amount: 0.1 }],
    ['amount of zero', { amount: 0 }, { Amount: 0 }],
    ['owner', { owner: { id: IDS.user } }, { OwnerId: IDS.user }],
    ['account with 15 characters', { account: { id: '0015e00000AbCdE' } }, { AccountId: '0015e00000AbCdE' }],
    ['date', { close_date: '2026-04-30' }, { CloseDate: '2026-04-30' }],
    ['moment, not shifted', { close_date: '2026-04-30T23:30:00-11:00' }, { CloseDate: '2026-04-30' }],
    ['stage by id', { stage: { id: 'closed won' } }, { StageName: 'Closed Won' }],
    ['stage by label', { stage: { name: 'Angebot' } }, { StageName: 'Proposal/Price Quote' }],
    ['stage by value', { stage: { name: 'Prospecting' } }, { StageName: 'Prospecting' }],
    ['stage by label in another case', { stage: { name: 'aKQUISE' } }, { StageName: 'Prospecting' }],
    ['stage by both', { stage: { id: 'Prospecting', name: 'akquise' } }, { StageName: 'Prospecting' }],
    ['custom text', { custom_fields: { Region__c: 'North' } }, { Region__c: 'North' }],
    ['custom list', { custom_fields: { Colors__c: ['red', 'blue'] } }, { Colors__c: 'red;blue' }],
    ['empty custom list', { custom_fields: { Colors__c: [] } }, { Colors__c: null }],
    ['custom number', { custom_fields: { Score__c: 1.5 } }, { Score__c: 1.5 }],
    ['custom null', { custom_fields: { Region__c: null } }, { Region__c: null }],
    ['standard field without a unified name', { custom_fields: { NextStep: 'Call' } }, { NextStep: 'Call' }],
  ])('maps %s', (_, given, expected) => {
    expect(bodyOf(given)).toMatchObject(expected);
  });

  it.each([
    ['2024-05-01', '2024-05-01T00:00:00.000Z'],
    ['2024-05-01T12:00:00+02:00', '2024-05-01T10:00:00.000Z'],
  ])('backdates %s where audit fields are allowed', (created_at, CreatedDate) => {
    expect(bodyOf({ created_at }, AUDIT)).toMatchObject({ CreatedDate });
  });

  it('sends the currency only where records have one', () => {
    expect(bodyOf({ currency: 'JPY' }, MULTI)).toMatchObject({ CurrencyIsoCode: 'JPY' });
    expect(failuresOf({ currency: 'USD' }, MULTI).failures).toMatchObject([
      { pointer: '/currency', message: expect.stringContaining('EUR, JPY') },
    ]);
  });

  it('lists what has no place, and sends none of it', () => {
    const planned = plannedOf({ currency: 'USD', created_at: '2024-05-01', tags: [{ name: 'hot' }] });
    expect(planned.unsupported.map(({ pointer }) => pointer)).toEqual(['/currency', '/created_at', '/tags']);
    expect(planned.plan.create.body).toEqual({
      Name: 'Big deal',
      StageName: 'Prospecting',
      CloseDate: '2026-04-30',
    });
  });

  it.each([
    ['more decimals than are kept', { amount: 1.005 }, 'amount_rounded'],
    [
      'the same contact twice',
      { contact: [{ id: IDS.contact }, { id: IDS.contact.slice(0, 15) }] },
      'duplicate_contact',
    ],
    ['a standard field among the custom ones', { custom_fields: { NextStep: 'x' } }, 'standard_field'],
  ])('warns of %s', (_, given, code) => {
    expect(plannedOf(given).warnings.map((warning) => warning.code)).toEqual([code]);
  });

  it.each([
    ['a name too long to store', { name: 'x'.repeat(121) }, '/name', 'invalid_body'],
    ['a blank name', { name: '  ' }, '/name', 'invalid_body'],
    ['a description too long', { description: 'x'.repeat(32_001) }, '/description', 'invalid_body'],
    ['an id that is none', { owner: { id: '42' } }, '/owner/id', 'invalid_body'],
    ['a contact as owner', { owner: { id: IDS.contact } }, '/owner/id', 'invalid_body'],
    [
      'an account id whose case was changed',
      { account: { id: IDS.account.toLowerCase() } },
      '/account/id',
      'invalid_body',
    ],
    [
      'an account as contact',
      { contact: [{ id: IDS.contact }, { id: IDS.account }] },
      '/contact/1/id',
      'invalid_body',
    ],
    ['an unknown stage name', { stage: { name: 'Wonn' } }, '/stage/name', 'stage_not_found'],
    ['an unknown stage id', { stage: { id: 'Wonn' } }, '/stage/id', 'stage_not_found'],
    ['an inactive stage', { stage: { name: 'Old' } }, '/stage/name', 'stage_not_found'],
    ['a stage name of several', { stage: { name: 'Twin' } }, '/stage/name', 'stage_ambiguous'],
    [
      'stage id and name at odds',
      { stage: { id: 'Prospecting', name: 'Angebot' } },
      '/stage/name',
      'invalid_body',
    ],
    [
      'an unknown custom field',
      { custom_fields: { Regio__c: 1 } },
      '/custom_fields/Regio__c',
      'custom_field_not_found',
    ],
    ['a read-only custom field', { custom_fields: { Sum__c: 1 } }, '/custom_fields/Sum__c', 'invalid_body'],
    [
      'a unified field as custom',
      { custom_fields: { stagename: 'x' } },
      '/custom_fields/stagename',
      'invalid_body',
    ],
    ['the id as custom', { custom_fields: { Id: 'x' } }, '/custom_fields/Id', 'invalid_body'],
    ['a name like cf_1', { custom_fields: { cf_1: 'x' } }, '/custom_fields/cf_1', 'custom_field_not_found'],
    ['a numeric name', { custom_fields: { 1234: 'x' } }, '/custom_fields/1234', 'custom_field_not_found'],
    ['an object as value', { custom_fields: { Region__c: {} } }, '/custom_fields/Region__c', 'invalid_body'],
    [
      'a list for one value',
      { custom_fields: { Region__c: ['a'] } },
      '/custom_fields/Region__c',
      'invalid_body',
    ],
    [
      'a separator in a list',
      { custom_fields: { Colors__c: ['a;b'] } },
      '/custom_fields/Colors__c',
      'invalid_body',
    ],
    [
      'a text longer than its field',
      { custom_fields: { Region__c: 'x'.repeat(41) } },
      '/custom_fields/Region__c',
      'invalid_body',
    ],
    [
      'one field under two keys',
      { custom_fields: { Region__c: 1, region__C: 2 } },
      '/custom_fields/region__C',
      'invalid_body',
    ],
  ])('refuses %s', (_, given, pointer, code) => {
    expect(failuresOf(given).failures).toMatchObject([{ pointer, code }]);
  });

  it('names the stages there are and the field that is nearest, and asks for fresh facts', () => {
    const stage = failuresOf({ stage: { name: 'Wonn' } });
    expect(stage.failures[0]?.message).toContain('"Akquise" (id "Prospecting")');
    expect(stage.staleFacts).toBe(true);
    const field = failuresOf({ custom_fields: { Regio__c: 1 } });
    expect(field.failures[0]?.message).toContain('"Region__c"');
    expect(field.staleFacts).toBe(true);
  });

  it('reports everything wrong at once', () => {
    const { failures } = failuresOf({ name: 'x'.repeat(121), owner: { id: '1' }, stage: { name: '?' } });
    expect(failures.map(({ pointer }) => pointer)).toEqual(['/name', '/owner/id', '/stage/name']);
  });

  it('leaves checks that need live values to the worker', () => {
    const given = { stage: { name: 'Anything' }, custom_fields: { Any__c: ['a', 'b'] } };
    expect(bodyOf(given, { facts: undefined })).toMatchObject({ StageName: 'Anything', Any__c: 'a;b' });
  });
});

describe('contacts', () => {
  const contact = [{ id: IDS.contact }, { id: IDS.secondContact }];

  it('puts the first into the create and the rest behind it', () => {
    const { create, followUps } = plannedOf({ contact }).plan;
    expect(create.body).toMatchObject({ ContactId: IDS.contact });
    expect(followUps).toMatchObject([
      { key: `contact_role:${IDS.secondContact}`, pointer: '/contact/1', data: { isPrimary: false } },
    ]);
  });

  it('keeps all of them out of an upsert, whose body may be sent twice', () => {
    const { create, followUps } = plannedOf({ contact }, { marker: EXTERNAL_ID }).plan;
    expect(create.body).not.toHaveProperty('ContactId');
    expect(followUps.map(({ data }) => data)).toEqual([
      { contactId: IDS.contact, isPrimary: true },
      { contactId: IDS.secondContact, isPrimary: false },
    ]);
  });

  it("leaves the caller's own ContactId alone and drops none of the others", () => {
    const { create, followUps } = plannedOf({ contact, remote_data: { contactid: '003x' } }).plan;
    expect(create.body).toMatchObject({ contactid: '003x' });
    expect(create.body).not.toHaveProperty('ContactId');
    expect(followUps.map(({ data }) => data.isPrimary)).toEqual([false, false]);
  });

  it('keeps them out of the create where the user may not set them there', () => {
    const facts = someFacts({ features: { contactIdOnCreate: false } });
    expect(plannedOf({ contact }, { facts }).plan.followUps).toHaveLength(2);
  });
});

describe('the marker', () => {
  it.each([
    [{ kind: 'text', field: 'Description' }, '/settings/marker/kind'],
    [{ kind: 'external_id', field: 'Name' }, '/settings/marker/field'],
    [{ kind: 'external_id', field: 'NextStep' }, '/settings/marker/field'],
    [{ kind: 'external_id', field: 'cf_abc' }, '/settings/marker/field'],
    [{ kind: 'custom_field', field: 'id' }, '/settings/marker/field'],
    [{ kind: 'custom_field', field: '12345' }, '/settings/marker/field'],
  ] as const)('is refused as %j', (marker, pointer) => {
    expect(salesforce.checkSettings({ marker })).toMatchObject([{ pointer }]);
  });

  it('is accepted as a custom field', () => {
    expect(salesforce.checkSettings({ marker: { kind: 'external_id', field: 'Key__c' } })).toEqual([]);
    expect(salesforce.checkSettings({ marker: null, salesforce: { api_version: '60.0' } })).toEqual([]);
  });

  it('needs API version 60', () => {
    expect(salesforce.checkSettings({ salesforce: { api_version: 'v59.0' } })).toMatchObject([
      { pointer: '/settings/salesforce/api_version' },
    ]);
  });

  it.each([
    ['Gone__c', /does not exist/],
    ['Sum__c', /read-only/],
    ['Region__c', /External ID and Unique/],
    ['Score__c', /must be a text field/],
  ])('is not trusted when the organisation has it as %s', (field, message) => {
    const { failures, staleFacts } = failuresOf({}, { marker: { ...EXTERNAL_ID, field } });
    expect(failures).toMatchObject([{ message: expect.stringMatching(message) }]);
    expect(staleFacts).toBe(true);
  });

  it('cannot be written as a custom field', () => {
    expect(failuresOf({ custom_fields: { key__c: 'x' } }, { marker: EXTERNAL_ID }).failures).toMatchObject([
      { pointer: '/custom_fields/key__c' },
    ]);
  });
});

describe('the descriptor', () => {
  it.each([
    ['name', { name: undefined }, { Name: 'x' }],
    ['stage', { stage: {} }, { StageName: 'x' }],
    ['close_date', { close_date: undefined }, { CloseDate: 'x' }],
  ])('requires %s, from the body or from remote_data', (field, without, remote) => {
    const row = salesforce.required.find((candidate) => candidate.field === field);
    expect(row?.isGiven(anOpportunity())).toBe(true);
    expect(row?.isGiven(anOpportunity(without))).toBe(false);
    expect(row?.remoteKeys).toEqual(Object.keys(remote));
  });

  it.each([
    ['https://acme.my.salesforce.com', 'https://acme.my.salesforce.com'],
    ['https://acme.my.salesforce.com/', 'https://acme.my.salesforce.com'],
    ['https://acme.my.salesforce.com/services/data/v62.0/', 'https://acme.my.salesforce.com'],
    ['http://127.0.0.1:3900/salesforce', 'http://127.0.0.1:3900/salesforce'],
    ['http://127.0.0.1:3900/salesforce/services/data', 'http://127.0.0.1:3900/salesforce'],
  ])('calls %s at %s', (instance_url, expected) => {
    const credentials = {
      type: 'oauth2_client_credentials',
      instance_url,
      client_id: 'a',
      client_secret: 'b',
    } as const;
    expect(salesforce.baseUrl(credentials, {})).toBe(expected);
    expect(salesforce.recordUrl(credentials, '006')).toBe(`${expected}/lightning/r/Opportunity/006/view`);
  });
});
