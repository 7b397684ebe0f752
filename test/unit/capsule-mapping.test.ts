import { describe, expect, it } from 'vitest';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { capsule } from '../../shared/providers/capsule/descriptor.ts';
import { capsuleFacts, failuresOfCapsule, JOB_ID, plannedCapsule } from './capsule-support.ts';

const custom = { kind: 'custom_field', field: '901', value: JOB_ID } as const;
const text = { kind: 'text', field: 'description', value: JOB_ID } as const;
const field = (id: number, value: unknown) => ({ fields: [{ definition: { id }, value }] });

function planRaw(fields: Record<string, unknown>, facts = capsuleFacts()) {
  const opportunity = OpportunityInput.parse(fields);
  return capsule.plan({ opportunity, settings: {}, facts, remoteQuery: {}, marker: undefined });
}

describe('what is sent to Capsule', () => {
  it('is wrapped, at a path without a slash at its end, with embeds to see what was stored', () => {
    const { plan, body } = plannedCapsule({});
    expect(plan.create).toEqual({
      method: 'POST',
      path: '/api/v2/opportunities',
      query: { embed: 'tags,fields,party,milestone' },
      body: { opportunity: body },
      purpose: 'create',
    });
    expect(body).toEqual({ party: { id: 4711 }, name: 'Renewal', milestone: { id: 13 } });
    expect(plan.parentId).toBe('4711');
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['amount', { amount: 1250.5, currency: 'EUR' }, { value: { amount: 1250.5, currency: 'EUR' } }],
    ['amount 0', { amount: 0, currency: 'JPY' }, { value: { amount: 0, currency: 'JPY' } }],
    [
      'currency from remote_data',
      { amount: 5, remote_data: { value: { currency: 'XXX' } } },
      { value: { amount: 5, currency: 'XXX' } },
    ],
    [
      'amount from remote_data',
      { currency: 'EUR', remote_data: { value: { amount: 5 } } },
      { value: { amount: 5, currency: 'EUR' } },
    ],
    ['owner', { owner: { id: '61' } }, { owner: { id: 61 } }],
    ['close_date', { close_date: '2026-04-30T23:30:00-08:00' }, { expectedCloseOn: '2026-04-30' }],
    ['description', { description: 'Text' }, { description: 'Text' }],
    ['empty description', { description: '' }, {}],
    ['stage by name', { stage: { name: 'WON' } }, { milestone: { id: 15 } }],
    [
      'stage in a pipeline',
      { stage: { name: 'Proposal' }, remote_data: { pipeline: 'renewals' } },
      { milestone: { id: 23 } },
    ],
    [
      'stage in a pipeline by id',
      { stage: { name: 'Proposal' }, remote_data: { pipeline: { id: 32 } } },
      { milestone: { id: 23 } },
    ],
    [
      'tags',
      { tags: [{ id: '801', name: 'x' }, { name: 'Hot' }, { name: 'hot' }] },
      { tags: [{ id: 801 }, { name: 'Hot' }] },
    ],
    ['no tags', { tags: [] }, {}],
    ['text field', { custom_fields: { '901': 'x' } }, field(901, 'x')],
    ['field by name', { custom_fields: { ' reference ': 'x' } }, field(901, 'x')],
    ['number as text', { custom_fields: { Seats: 1e21 } }, field(902, '1000000000000000000000')],
    ['date', { custom_fields: { '903': '2026-04-30T00:00:00Z' } }, field(903, '2026-04-30')],
    ['list', { custom_fields: { '904': 'Web' } }, field(904, 'Web')],
    ['multi-select', { custom_fields: { '905': ['Basic', 'Plus'] } }, field(905, 'Basic;Plus')],
    ['multi-select as text', { custom_fields: { '905': 'Basic; Plus' } }, field(905, 'Basic;Plus')],
    ['boolean', { custom_fields: { '906': false } }, field(906, false)],
    ['null', { custom_fields: { '901': null, '904': null } }, {}],
    ['remote_data', { remote_data: { probability: 5 } }, { probability: 5 }],
    ['remote_data in the wrapper', { remote_data: { opportunity: { probability: 5 } } }, { probability: 5 }],
    ['remote_data over ours', { remote_data: { milestone: { id: 15 } } }, { milestone: { id: 15 } }],
  ])('%s', (_, fields, expected) => {
    const { body, warnings, unsupported } = plannedCapsule(fields);
    expect(body).toEqual({ party: { id: 4711 }, name: 'Renewal', milestone: { id: 13 }, ...expected });
    expect([warnings, unsupported]).toEqual([[], []]);
  });

  it('adds the embeds of remote_query to ours and keeps the rest of it', () => {
    const { plan } = plannedCapsule({}, { remoteQuery: { embed: 'missingImportantFields,tags', a: 'b' } });
    expect(plan.create.query).toEqual({
      a: 'b',
      embed: 'tags,fields,party,milestone,missingImportantFields',
    });
  });

  it('merges remote_data.fields with custom_fields one by one', () => {
    const remote_data = { fields: [{ definition: 902, value: '9' }] };
    const { body } = plannedCapsule({ custom_fields: { '901': 'x', '902': 1 }, remote_data });
    expect(body.fields).toEqual([
      { definition: { id: 901 }, value: 'x' },
      { definition: 902, value: '9' },
    ]);
  });
});

describe('contacts', () => {
  const partyIds = (fields: Record<string, unknown>) =>
    plannedCapsule(fields).plan.followUps.map(({ data }) => data.partyId);

  it('without an account the first becomes the party, the others follow', () => {
    const { body, plan } = plannedCapsule({ account: undefined, contact: [{ id: '1' }, { id: '2' }] });
    expect(body.party).toEqual({ id: 1 });
    expect(plan.followUps).toEqual([
      {
        key: 'party:2',
        describes: 'contact 2 of the opportunity',
        pointer: '/contact/1',
        data: { partyId: 2 },
      },
    ]);
  });

  it('with an account all follow, but the one that is the account', () => {
    expect(partyIds({ contact: [{ id: '1' }, { id: '4711' }, { id: '2' }] })).toEqual([1, 2]);
  });

  it('follow the party that remote_data names', () => {
    expect(partyIds({ contact: [{ id: '1' }, { id: '2' }], remote_data: { party: { id: 2 } } })).toEqual([1]);
    expect(
      partyIds({ account: undefined, contact: [{ id: '1' }], remote_data: { party: { id: 9 } } }),
    ).toEqual([1]);
  });

  it('are added once, with a warning', () => {
    const { plan, warnings } = plannedCapsule({ contact: [{ id: '1' }, { id: '1' }] });
    expect(plan.followUps).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: 'duplicate_contact', pointer: '/contact/1' }]);
  });
});

describe('what is refused before anything is sent', () => {
  it('names everything that is wrong at once, by our names', () => {
    const result = planRaw({
      amount: 5,
      owner: { id: 'bob' },
      tags: [{}],
      custom_fields: { cf_x: 1, Foo__c: 1, '906': null },
    });
    const pointers = result.ok ? [] : result.failures.map(({ pointer, code }) => [pointer, code]);
    expect(pointers).toEqual([
      ['/name', 'missing_required_fields'],
      ['/stage', 'missing_required_fields'],
      ['/account', 'missing_required_fields'],
      ['/owner/id', 'invalid_body'],
      ['/currency', 'missing_required_fields'],
      ['/tags/0', 'invalid_body'],
      ['/custom_fields/906', 'invalid_body'],
      ['/custom_fields/cf_x', 'custom_field_not_found'],
      ['/custom_fields/Foo__c', 'custom_field_not_found'],
    ]);
  });

  it('says that either an account or a contact will do', () => {
    const result = planRaw({ name: 'N', stage: { id: '13' } });
    expect(result.ok ? '' : result.failures[0]?.message).toMatch(/account\.id.*contact\[0\]\.id.*either/);
  });

  it('takes required values from remote_data', () => {
    const remote_data = { name: 'N', party: { id: 1 }, milestone: { id: 13 } };
    expect(planRaw({ remote_data })).toMatchObject({ ok: true, plan: { parentId: '1' } });
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['a stage of two pipelines', { stage: { name: 'proposal' } }, '/stage/name', 'stage_ambiguous'],
    ['an unknown stage', { stage: { name: 'Gone' } }, '/stage/name', 'stage_not_found'],
    [
      'an unknown pipeline',
      { stage: { name: 'Won' }, remote_data: { pipeline: 'Gone' } },
      '/remote_data/pipeline',
      'stage_not_found',
    ],
    ['ids that are no numbers', { account: { id: 'lead_1' } }, '/account/id', 'invalid_body'],
    ['a currency the account has not', { amount: 1, currency: 'XAU' }, '/currency', 'invalid_body'],
    ['a blank name', { name: ' ' }, '/name', 'invalid_body'],
    ['an option that is none', { custom_fields: { Source: 'TV' } }, '/custom_fields/Source', 'invalid_body'],
    [
      'one option of many that is none',
      { custom_fields: { '905': ['Basic', 'TV'] } },
      '/custom_fields/905',
      'invalid_body',
    ],
    ['text for a boolean', { custom_fields: { '906': 'yes' } }, '/custom_fields/906', 'invalid_body'],
    ['text for a number', { custom_fields: { '902': 'many' } }, '/custom_fields/902', 'invalid_body'],
    ['no date', { custom_fields: { '903': '2026-02-30' } }, '/custom_fields/903', 'invalid_body'],
    ['an object for a text', { custom_fields: { '901': {} } }, '/custom_fields/901', 'invalid_body'],
    ['an unknown field', { custom_fields: { '999': 1 } }, '/custom_fields/999', 'custom_field_not_found'],
    [
      'one field given twice',
      { custom_fields: { '901': 'a', Reference: 'b' } },
      '/custom_fields/Reference',
      'invalid_body',
    ],
    [
      "Close's field in remote_data",
      { remote_data: { 'custom.cf_x': 1 } },
      '/remote_data/custom.cf_x',
      'invalid_body',
    ],
    ['a party taken away', { remote_data: { party: null } }, '/remote_data/party', 'invalid_body'],
    ['fields that are no list', { remote_data: { fields: {} } }, '/remote_data/fields', 'invalid_body'],
    ['a contact that is no number', { contact: [{ id: '1' }, { id: 'x' }] }, '/contact/1/id', 'invalid_body'],
  ])('%s', (_, fields, pointer, code) => {
    expect(failuresOfCapsule(fields)).toMatchObject([{ pointer, code }]);
  });
});

describe('what Capsule has no place for', () => {
  it('is reported', () => {
    expect(plannedCapsule({ created_at: '2026-01-01' }).unsupported).toMatchObject([
      { pointer: '/created_at' },
    ]);
    const { body, unsupported } = plannedCapsule({ currency: 'EUR' });
    expect(body).not.toHaveProperty('value');
    expect(unsupported).toMatchObject([{ code: 'currency_without_amount', pointer: '/currency' }]);
  });
});

describe('without facts', () => {
  it('checks what can be checked and leaves the rest for later', () => {
    const fields = {
      stage: { name: 'Whatever' },
      custom_fields: { Label: 1, '77': [1, 2].map(String), '78': 3 },
    };
    const { body } = plannedCapsule(fields, { facts: undefined });
    expect(body).toEqual({
      party: { id: 4711 },
      name: 'Renewal',
      fields: [
        { definition: { id: 77 }, value: '1;2' },
        { definition: { id: 78 }, value: '3' },
      ],
    });
    expect(failuresOfCapsule({ custom_fields: { cf_a: 1 } }, { facts: undefined })).toHaveLength(1);
  });
});

describe('the write marker', () => {
  it('is an entry of fields, whatever else is in there', () => {
    const remote_data = {
      fields: [
        { definition: { id: 901 }, value: 'mine' },
        { definition: 902, value: '1' },
      ],
    };
    const { body, warnings } = plannedCapsule({ remote_data }, { marker: custom });
    expect(body.fields).toEqual([
      { definition: 902, value: '1' },
      { definition: { id: 901 }, value: JOB_ID },
    ]);
    expect(warnings).toMatchObject([{ code: 'marker_protected', pointer: '/remote_data/fields/0' }]);
    expect(failuresOfCapsule({ custom_fields: { '901': 'x' } }, { marker: custom })).toHaveLength(1);
  });

  it.each<[Record<string, unknown>, string]>([
    [{}, `[ref:${JOB_ID}]`],
    [{ description: 'Text' }, `Text\n\n[ref:${JOB_ID}]`],
    [{ description: 'Text', remote_data: { description: 'other' } }, `other\n\n[ref:${JOB_ID}]`],
  ])('as text ends the description: %j', (fields, description) => {
    expect(plannedCapsule(fields, { marker: text }).body.description).toBe(description);
  });

  it('is no part of what identifies the record by content', () => {
    const plain = plannedCapsule({ description: 'Text' }).plan.content;
    expect(plannedCapsule({ description: 'Text' }, { marker: text }).plan.content).toEqual(plain);
    expect(plannedCapsule({ description: 'Text' }, { marker: custom }).plan.content).toEqual(plain);
  });
});

describe('settings', () => {
  it.each<[Parameters<typeof capsule.checkSettings>[0], string[]]>([
    [{}, []],
    [{ marker: { kind: 'custom_field', field: '901' } }, []],
    [{ marker: { kind: 'text', field: 'description' } }, []],
    [{ marker: { kind: 'external_id', field: 'x' } }, ['/settings/marker/kind']],
    [{ marker: { kind: 'custom_field', field: 'Reference' } }, ['/settings/marker/field']],
    [{ marker: { kind: 'text', field: 'note' } }, ['/settings/marker/field']],
    [{ salesforce: {} }, ['/settings/salesforce']],
  ])('%j', (settings, pointers) => {
    expect(capsule.checkSettings(settings).map(({ pointer }) => pointer)).toEqual(pointers);
  });
});
