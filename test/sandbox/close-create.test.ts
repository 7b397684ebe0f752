import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CloseUnderTest, START_MS, startClose } from './close-client.ts';

let close: CloseUnderTest;
beforeAll(async () => {
  close = await startClose();
});
afterAll(() => close.close());
beforeEach(async () => {
  close.clock.nowMs = START_MS;
  await close.control('POST', '/reset', {});
});

const post = (fields: Record<string, unknown>, headers?: Record<string, string>) =>
  close.call('POST', '/opportunity/', { body: { lead_id: 'lead_Northwind', ...fields }, headers });

describe('creating an opportunity in Close', () => {
  it('answers 200, not 201, with the full flat object and no Location', async () => {
    const reply = await post({
      contact_id: 'cont_NorthwindNora',
      user_id: 'user_Bob',
      status_id: 'stat_SalesProposal',
      value: 125000,
      value_period: 'one_time',
      note: 'Renewal\n\nText',
      date_won: '2026-04-30',
      'custom.cf_Reference': 'job-1',
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('location')).toBeNull();
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^oppo_[A-Za-z0-9]+$/),
      organization_id: 'orga_Demo',
      lead_id: 'lead_Northwind',
      lead_name: 'Northwind',
      contact_id: 'cont_NorthwindNora',
      contact_name: 'Nora North',
      user_id: 'user_Bob',
      user_name: 'Bob Closer',
      created_by: 'user_Ann',
      created_by_name: 'Ann Seller',
      updated_by: 'user_Ann',
      updated_by_name: 'Ann Seller',
      date_created: '2026-03-01T09:30:00.123000+00:00',
      date_updated: '2026-03-01T09:30:00.123000+00:00',
      date_won: '2026-04-30',
      date_lost: null,
      status_id: 'stat_SalesProposal',
      status_label: 'Proposal',
      status_display_name: 'Proposal',
      status_type: 'active',
      pipeline_id: 'pipe_Sales',
      pipeline_name: 'Sales',
      value: 125000,
      value_currency: 'EUR',
      value_formatted: '€1,250',
      value_period: 'one_time',
      annualized_value: 125000,
      expected_value: 62500,
      annualized_expected_value: 62500,
      confidence: 50,
      note: 'Renewal\n\nText',
      note_html: '<body><p>Renewal<br><br>Text</p></body>',
      attachments: [],
      integration_links: [],
      'custom.cf_Reference': 'job-1',
    });
  });

  it('fills in the user of the key, the first status and a confidence of 50', async () => {
    const { body } = await close.call('POST', '/opportunity/', {
      body: { lead_id: 'lead_Contoso' },
      key: 'demo-close-key-7',
    });
    expect(body).toMatchObject({ user_id: 'user_Key7', created_by: 'user_Key7', confidence: 50 });
    expect(body).toMatchObject({ status_id: 'stat_SalesQualified', value: null, value_formatted: null });
  });

  it('takes the first status of a named pipeline', async () => {
    expect((await post({ pipeline_id: 'pipe_Renewals' })).body.status_id).toBe('stat_RenewalsReview');
  });

  it.each([
    [{ value: 500, value_period: 'monthly' }, '€5 monthly', 6000],
    [{ value: 500, value_period: 'annual' }, '€5 annually', 500],
    [{ value: 123456789 }, '€1,234,567.89', 123456789],
  ])('derives the values of %j', async (fields, formatted, annualized) => {
    const { body } = await post(fields);
    expect(body).toMatchObject({ value_formatted: formatted, annualized_value: annualized });
    expect(body.annualized_expected_value).toBe(Math.round(annualized / 2));
  });

  it('shows the currency of the organisation, whatever was written before', async () => {
    const { id } = await close.create({ value: 50000 });
    await close.configure({ currency: 'GBP', list_lag_ms: 0 });
    const { body } = await close.call('GET', `/opportunity/${id}/`);
    expect(body).toMatchObject({ value_currency: 'GBP', value_formatted: '£500' });
  });

  it.each([undefined, null])('makes a new lead called Untitled when lead_id is %s', async (lead_id) => {
    const reply = await close.call('POST', '/opportunity/', { body: { lead_id } });
    expect(reply.status).toBe(200);
    expect(reply.body.lead_name).toBe('Untitled');
    const lead = await close.call('GET', `/lead/${reply.body.lead_id}/`);
    expect(lead.body).toMatchObject({ display_name: 'Untitled', contacts: [] });
  });

  it.each([
    [{ lead_id: 'lead_Nobody' }, { lead: 'Object does not exist.' }],
    [{ contact_id: 'cont_Nobody' }, { contact: 'Object does not exist.' }],
    [{ contact_id: 'cont_ContosoCarl' }, { contact: 'Object does not exist.' }],
    [{ user_id: 'user_Nobody' }, { user: 'Object does not exist.' }],
    [{ status_id: 'stat_Nothing' }, { status: expect.stringMatching(/^Not a valid choice\./) }],
    [{ pipeline_id: 'pipe_Nothing' }, { pipeline: 'Object does not exist.' }],
    [
      { pipeline_id: 'pipe_Renewals', status_id: 'stat_SalesWon' },
      { status: expect.stringMatching(/^Not a valid choice\./) },
    ],
    [{ value: 12.5 }, { value: 'Value must be of int type.' }],
    [{ value: '1250' }, { value: 'Value must be of int type.' }],
    [{ value_period: 'weekly' }, { value_period: 'Not a valid choice.' }],
    [{ confidence: 101 }, { confidence: 'The value must not be larger than 100.' }],
    [{ confidence: -1 }, { confidence: 'The value must be at least 0.' }],
    [{ note: 5 }, { note: 'Value must be of str type.' }],
    [{ date_won: 'tomorrow' }, { date_won: 'Could not parse datetime' }],
    [{ date_created: '2026-02-30' }, { date_created: 'Invalid ISO 8601 datetime.' }],
    [{ 'custom.cf_Seats': 'many' }, { 'custom.cf_Seats': 'Value must be of float type.' }],
    [{ 'custom.cf_Source': 'Fax' }, { 'custom.cf_Source': 'Not a valid choice.' }],
    [{ 'custom.cf_Source': ['Web'] }, { 'custom.cf_Source': 'Value must be of str type.' }],
    [{ 'custom.cf_Renewal': 'soon' }, { 'custom.cf_Renewal': 'Could not parse datetime' }],
    [{ 'custom.cf_Engineer': 'user_Nobody' }, { 'custom.cf_Engineer': 'Object does not exist.' }],
  ])('refuses %j, naming the field as the model does', async (fields, errors) => {
    const reply = await post(fields);
    expect(reply.status).toBe(400);
    expect(reply.body).toEqual({ errors: [], 'field-errors': errors });
    expect((await close.control('GET', '/records?provider=close')).body.count).toBe(0);
  });

  it('takes 5.0 for the float it is', async () => {
    const text = '{"lead_id": "lead_Northwind", "note": "\\"value\\": 1.5", "value": 5}';
    expect((await close.call('POST', '/opportunity/', { text })).status).toBe(200);
    const float = text.replace('5}', '5.0}');
    expect((await close.call('POST', '/opportunity/', { text: float })).body['field-errors']).toEqual({
      value: 'Value must be of int type.',
    });
  });

  it('reports all bad fields at once', async () => {
    const { body } = await post({ lead_id: 'lead_Nobody', value: 1.5 });
    expect(Object.keys(body['field-errors'])).toEqual(['lead', 'value']);
  });

  it('ignores unknown keys without a word', async () => {
    const reply = await post({
      name: 'Deal',
      currency: 'USD',
      tags: ['x'],
      notes: 'typo',
      custom_fields: {},
    });
    expect(reply.status).toBe(200);
    expect(reply.body).not.toHaveProperty('name');
    expect(reply.body).toMatchObject({ note: null, value_currency: 'EUR' });
  });

  it('writes custom fields by id, and still by name and as a dict', async () => {
    const { body } = await post({
      'custom.cf_Seats': 3,
      'custom.cf_Products': ['Basic', 'Plus'],
      'custom.cf_Region': 'North',
      'custom.Source': 'Web',
      custom: { 'External Reference': 'job-2', cf_Engineer: 'user_Cleo' },
    });
    expect(body).toMatchObject({
      'custom.cf_Seats': 3,
      'custom.cf_Products': ['Basic', 'Plus'],
      'custom.cf_Region': 'North',
      'custom.cf_Source': 'Web',
      'custom.cf_Reference': 'job-2',
      'custom.cf_Engineer': 'user_Cleo',
    });
    expect(body).not.toHaveProperty('custom');
  });

  it('lets date_created be written and answers date_won as a date', async () => {
    const { body } = await post({
      date_created: '2020-01-02T03:04:05+02:00',
      date_won: '2026-05-06T10:00:00Z',
    });
    expect(body).toMatchObject({
      date_created: '2020-01-02T01:04:05.000000+00:00',
      date_updated: '2026-03-01T09:30:00.123000+00:00',
      date_won: '2026-05-06',
    });
  });

  it('sets date_won to the caller’s today when the deal is won and none is given', async () => {
    close.clock.nowMs = Date.UTC(2026, 2, 1, 23, 30);
    const won = { status_id: 'stat_SalesWon' };
    expect((await post(won)).body.date_won).toBe('2026-03-01');
    expect((await post(won, { 'x-tz-offset': '2' })).body.date_won).toBe('2026-03-02');
    expect((await post(won, { 'x-tz-offset': '-5' })).body.date_won).toBe('2026-03-01');
    expect((await post({ ...won, date_won: '2026-02-02' })).body.date_won).toBe('2026-02-02');
    expect((await post({ status_id: 'stat_SalesLost' })).body).toMatchObject({
      date_won: null,
      date_lost: '2026-03-01',
    });
  });

  it('has the records in creation order for the test', async () => {
    await close.create({ note: 'one' });
    await close.create({ note: 'two' });
    const { body } = await close.control('GET', '/records?provider=close');
    expect(body.records.map((record: { note: string }) => record.note)).toEqual(['one', 'two']);
  });
});
