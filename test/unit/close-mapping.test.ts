import { describe, expect, it } from 'vitest';
import { OpportunityInput } from '../../shared/domain/opportunity.ts';
import { close } from '../../shared/providers/close/descriptor.ts';
import { plan } from '../../shared/providers/close/mapping.ts';
import { closeFacts, failuresOfClose, JOB_ID, planClose, plannedClose } from './close-support.ts';

const custom = { kind: 'custom_field', field: 'cf_ref', value: JOB_ID } as const;
const text = { kind: 'text', field: 'note', value: JOB_ID } as const;

describe('what is sent to Close', () => {
  it('is a flat object at a path with a slash at its end', () => {
    const { plan, body } = plannedClose({ name: 'Renewal' });
    expect(plan.create).toMatchObject({ method: 'POST', path: '/api/v1/opportunity/', purpose: 'create' });
    expect(body).toEqual({ lead_id: 'lead_1', user_id: 'user_1', note: 'Renewal' });
    expect(plan.parentId).toBe('lead_1');
    expect(plan.followUps).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['amount', { amount: 1250.5 }, { value: 125050 }],
    ['amount 0', { amount: 0 }, { value: 0 }],
    ['close_date', { close_date: '2026-04-30' }, { date_won: '2026-04-30' }],
    ['close_date with a zone', { close_date: '2026-04-30T23:30:00-08:00' }, { date_won: '2026-04-30' }],
    ['created_at', { created_at: '2026-01-02T03:04:05+02:00' }, { date_created: '2026-01-02T01:04:05.000Z' }],
    ['created_at, a date', { created_at: '2026-01-02' }, { date_created: '2026-01-02T00:00:00.000Z' }],
    ['contact', { contact: [{ id: 'cont_1' }] }, { contact_id: 'cont_1' }],
    ['stage by id', { stage: { id: 'stat_3' } }, { status_id: 'stat_3' }],
    ['stage by name', { stage: { name: ' won ' } }, { status_id: 'stat_2' }],
    ['stage by both', { stage: { id: 'stat_2', name: 'WON' } }, { status_id: 'stat_2' }],
    ['custom field', { custom_fields: { cf_ref: 'x' } }, { 'custom.cf_ref': 'x' }],
    ['custom field with prefix', { custom_fields: { 'custom.cf_seats': 3 } }, { 'custom.cf_seats': 3 }],
    ['custom field by label', { custom_fields: { reference: 'x' } }, { 'custom.cf_ref': 'x' }],
    [
      'custom field, many',
      { custom_fields: { cf_products: ['a', 'b'] } },
      { 'custom.cf_products': ['a', 'b'] },
    ],
    ['custom field null', { custom_fields: { cf_ref: null } }, {}],
    ['description', { name: 'N', description: 'a\nb' }, { note: 'N\n\na\nb' }],
    ['empty description', { name: 'N', description: '' }, { note: 'N' }],
    ['remote_data', { remote_data: { value_period: 'annual' } }, { value_period: 'annual' }],
    ['remote_data over ours', { amount: 5, remote_data: { value: 7 } }, { value: 7 }],
    ['same currency', { amount: 1, currency: 'EUR' }, { value: 100 }],
  ])('%s', (_, fields, expected) => {
    const { body, warnings, unsupported } = plannedClose(fields);
    expect(body).toEqual({ lead_id: 'lead_1', user_id: 'user_1', ...expected });
    expect([warnings, unsupported]).toEqual([[], []]);
  });

  it('never sends what was not asked for, confidence and value least of all', () => {
    expect(Object.keys(plannedClose({ name: 'N' }).body).sort()).toEqual(['lead_id', 'note', 'user_id']);
  });

  it.each([
    ['JPY', 1500, 1500],
    ['KWD', 1.001, 1001],
    ['USD', 0.29, 29],
  ])('scales the amount by the currency of the organisation: %s', (code, amount, value) => {
    const facts = closeFacts({ currency: { mode: 'organisation', code } });
    expect(plannedClose({ amount }, { facts }).body.value).toBe(value);
  });

  it('takes two decimals and says so when Close hides the currency', () => {
    const facts = closeFacts({ currency: { mode: 'organisation' } });
    const { body, warnings } = plannedClose({ amount: 10.5 }, { facts });
    expect(body.value).toBe(1050);
    expect(warnings).toMatchObject([{ code: 'currency_unknown', pointer: '/amount' }]);
  });

  it('passes remote_query on and leaves it out when empty', () => {
    expect(plannedClose({}, { remoteQuery: { a: { b: 'c' } } }).plan.create.query).toEqual({ a: { b: 'c' } });
    expect(plannedClose({}).plan.create).not.toHaveProperty('query');
  });

  it('tells stages of the same name apart by remote_data.pipeline_id, which is sent as well', () => {
    const { body } = plannedClose({ stage: { name: 'Proposal' }, remote_data: { pipeline_id: 'pipe_2' } });
    expect(body).toMatchObject({ status_id: 'stat_3', pipeline_id: 'pipe_2' });
  });

  it('takes required values from remote_data', () => {
    const opportunity = OpportunityInput.parse({ remote_data: { lead_id: 'lead_9', user_id: 'user_9' } });
    const result = plan({ opportunity, settings: {}, facts: undefined, remoteQuery: {}, marker: undefined });
    expect(result).toMatchObject({ ok: true, plan: { parentId: 'lead_9' } });
  });
});

describe('what is refused before anything is sent', () => {
  it('names everything that is wrong at once, by our names', () => {
    const opportunity = OpportunityInput.parse({
      name: ' ',
      amount: 10.005,
      stage: { name: 'Nowhere' },
      custom_fields: { cf_gone: 1, Foo__c: 2 },
    });
    const result = plan({
      opportunity,
      settings: {},
      facts: closeFacts(),
      remoteQuery: {},
      marker: undefined,
    });
    expect(result.ok).toBe(false);
    const pointers = result.ok ? [] : result.failures.map(({ pointer, code }) => [pointer, code]);
    expect(pointers).toEqual([
      ['/account', 'missing_required_fields'],
      ['/owner', 'missing_required_fields'],
      ['/stage/name', 'stage_not_found'],
      ['/amount', 'invalid_body'],
      ['/name', 'invalid_body'],
      ['/custom_fields/cf_gone', 'custom_field_not_found'],
      ['/custom_fields/Foo__c', 'custom_field_not_found'],
    ]);
    expect(result).toMatchObject({ staleFacts: true });
  });

  it.each<[string, Record<string, unknown>, string, string, RegExp]>([
    [
      'a stage of two pipelines',
      { stage: { name: 'proposal' } },
      '/stage/name',
      'stage_ambiguous',
      /Sales \/ Proposal \(stat_1\), Renewals \/ Proposal \(stat_3\)/,
    ],
    [
      'an unknown stage id',
      { stage: { id: 'stat_x' } },
      '/stage/id',
      'stage_not_found',
      /Sales \/ Won \(stat_2\)/,
    ],
    [
      'a stage whose id and name differ',
      { stage: { id: 'stat_1', name: 'Won' } },
      '/stage/name',
      'invalid_body',
      /Proposal/,
    ],
    ['a stage without id and name', { stage: {} }, '/stage', 'invalid_body', /id or a name/],
    [
      'an unknown pipeline',
      { stage: { name: 'Won' }, remote_data: { pipeline_id: 'pipe_x' } },
      '/remote_data/pipeline_id',
      'stage_not_found',
      /Sales \(pipe_1\)/,
    ],
    [
      'a label two fields have',
      { custom_fields: { Twin: 1 } },
      '/custom_fields/Twin',
      'custom_field_not_found',
      /cf_twin1.*cf_twin2/,
    ],
    [
      'one field given twice',
      { custom_fields: { cf_ref: 1, 'custom.cf_ref': 2 } },
      '/custom_fields/custom.cf_ref',
      'invalid_body',
      /same field/,
    ],
    [
      'an object as a value',
      { custom_fields: { cf_ref: { a: 1 } } },
      '/custom_fields/cf_ref',
      'invalid_body',
      /must be text/,
    ],
    [
      "Salesforce's field in remote_data",
      { remote_data: { Foo__c: 1 } },
      '/remote_data/Foo__c',
      'invalid_body',
      /Salesforce/,
    ],
    [
      'a lead taken away',
      { remote_data: { lead_id: null } },
      '/remote_data/lead_id',
      'invalid_body',
      /new lead/,
    ],
  ])('%s', (_, fields, pointer, code, message) => {
    const failures = failuresOfClose(fields);
    expect(failures).toMatchObject([{ pointer, code }]);
    expect(failures[0]?.message).toMatch(message);
  });

  it.each([
    ['EUR', 10.005],
    ['JPY', 0.5],
    ['KWD', 1.0005],
  ])('an amount %s cannot hold: %d', (code, amount) => {
    const facts = closeFacts({ currency: { mode: 'organisation', code } });
    expect(failuresOfClose({ amount }, { facts })).toMatchObject([{ pointer: '/amount' }]);
  });
});

describe('what Close has no place for is reported, never dropped', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['tags', { tags: [{ name: 'hot' }] }, ['/tags']],
    ['another currency', { amount: 1, currency: 'USD' }, ['/currency']],
    [
      'further contacts',
      { contact: [{ id: 'cont_1' }, { id: 'cont_2' }, { id: 'cont_3' }] },
      ['/contact/1', '/contact/2'],
    ],
    ['no tags', { tags: [] }, []],
  ])('%s', (_, fields, pointers) => {
    expect(plannedClose(fields).unsupported.map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('names the currency of the organisation', () => {
    expect(plannedClose({ amount: 1, currency: 'USD' }).unsupported[0]?.message).toContain('EUR');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['line breaks in the name', { name: 'a\nb' }, 'name_changed'],
    ['a description without a name', { description: 'd' }, 'name_from_description'],
    ['a contact given twice', { contact: [{ id: 'c' }, { id: 'c' }] }, 'duplicate_contact'],
  ])('warns of %s', (_, fields, code) => {
    expect(plannedClose(fields).warnings).toMatchObject([{ code }]);
  });
});

describe('without facts', () => {
  it('checks what can be checked and leaves the rest for later', () => {
    const { body } = plannedClose(
      { stage: { name: 'Whatever' }, custom_fields: { Label: 1, cf_any: 2 }, currency: 'USD' },
      { facts: undefined },
    );
    expect(body).toEqual({ lead_id: 'lead_1', user_id: 'user_1', 'custom.cf_any': 2 });
    expect(failuresOfClose({ custom_fields: { Foo__c: 1 } }, { facts: undefined })).toHaveLength(1);
  });

  it('refuses only amounts no currency has, and can never write a rounded one', () => {
    expect(Number.isInteger(plannedClose({ amount: 10.005 }, { facts: undefined }).body.value)).toBe(false);
    expect(failuresOfClose({ amount: 0.00001 }, { facts: undefined })).toMatchObject([
      { pointer: '/amount' },
    ]);
  });
});

describe('the write marker', () => {
  it('stands in its own field, whatever remote_data says', () => {
    const { body, warnings } = plannedClose({ remote_data: { 'custom.cf_ref': 'mine' } }, { marker: custom });
    expect(body['custom.cf_ref']).toBe(JOB_ID);
    expect(warnings).toMatchObject([{ code: 'marker_protected', pointer: '/remote_data/custom.cf_ref' }]);
  });

  it('is not to be overwritten by a custom field', () => {
    expect(failuresOfClose({ custom_fields: { cf_ref: 'mine' } }, { marker: custom })).toMatchObject([
      { pointer: '/custom_fields/cf_ref' },
    ]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ name: 'N' }, `N\n\n[ref:${JOB_ID}]`],
    [{}, `[ref:${JOB_ID}]`],
    [{ name: 'N', remote_data: { note: 'other' } }, `other\n\n[ref:${JOB_ID}]`],
    [{ name: 'N', remote_data: { note: null } }, `[ref:${JOB_ID}]`],
  ])('as text ends the note: %j', (fields, note) => {
    expect(plannedClose(fields, { marker: text }).body.note).toBe(note);
  });

  it('is no part of what identifies the record by content', () => {
    const plain = plannedClose({ name: 'N', amount: 1 }).plan.content;
    expect(plannedClose({ name: 'N', amount: 1 }, { marker: text }).plan.content).toEqual(plain);
    expect(plannedClose({ name: 'N', amount: 1 }, { marker: custom }).plan.content).toEqual(plain);
  });
});

describe('settings', () => {
  it.each<[Parameters<typeof close.checkSettings>[0], string[]]>([
    [{}, []],
    [{ marker: { kind: 'custom_field', field: 'custom.cf_a' } }, []],
    [{ marker: { kind: 'text', field: 'note' } }, []],
    [{ marker: { kind: 'external_id', field: 'x' } }, ['/settings/marker/kind']],
    [{ marker: { kind: 'custom_field', field: 'Ref__c' } }, ['/settings/marker/field']],
    [{ marker: { kind: 'text', field: 'description' } }, ['/settings/marker/field']],
    [{ salesforce: {} }, ['/settings/salesforce']],
  ])('%j', (settings, pointers) => {
    expect(close.checkSettings(settings).map(({ pointer }) => pointer)).toEqual(pointers);
  });
});

it('plans nothing that is not reported as failed when everything is empty', () => {
  expect(planClose({})).toMatchObject({ ok: true });
});
