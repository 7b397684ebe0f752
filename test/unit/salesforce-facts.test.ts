import { describe, expect, it } from 'vitest';
import type { Call } from '../../shared/providers/port.ts';
import { fetchFacts } from '../../shared/providers/salesforce/facts.ts';
import { check } from '../../shared/providers/salesforce/identity.ts';
import { readBack } from '../../shared/providers/salesforce/read-back.ts';
import { anAnswer } from './salesforce-support.ts';

const USER = '0055e00000AbCdEAAV';
const ORGANISATION = '00D5e00000AbCdEAAV';
const DESCRIBE = {
  fields: [
    {
      name: 'StageName',
      label: 'Stage',
      type: 'picklist',
      createable: true,
      custom: false,
      picklistValues: [{ active: true, label: 'Gewonnen', value: 'Closed Won' }],
    },
    { name: 'NextStep', label: 'Next Step', type: 'string', createable: true, custom: false, length: 255 },
    { name: 'IsWon', label: 'Won', type: 'boolean', createable: false, custom: false },
  ],
};
const STAGES = [
  { ApiName: 'Closed Won', MasterLabel: 'Closed Won', IsActive: true, IsClosed: true, IsWon: true },
  { ApiName: 'Typo', MasterLabel: 'Typo', IsActive: false, IsClosed: false, IsWon: false },
];
const PARTS: Record<string, unknown> = {
  me: { Id: USER, Name: 'Integration' },
  organisation: { Id: ORGANISATION, Name: 'Acme', DefaultCurrencyIsoCode: 'EUR' },
  stages: { totalSize: 2, done: true, records: STAGES },
  users: { totalSize: 0, done: true, records: [] },
};

type Part = { referenceId: string };

/** Answers as the documentation shows them; `parts` by referenceId, those missing are refused. */
function anOrg(resources: unknown, parts: Record<string, unknown>, userinfo?: unknown): Call {
  return async ({ path, body }) => {
    if (path.endsWith('/describe')) return anAnswer({ status: 200, body: DESCRIBE });
    if (path.endsWith('/userinfo')) return anAnswer({ status: userinfo ? 200 : 403, body: userinfo });
    if (!path.endsWith('/composite')) return anAnswer({ status: 200, body: resources });
    // What the connector sends to /composite.
    const { compositeRequest } = body as { compositeRequest: Part[] };
    const compositeResponse = compositeRequest.map(({ referenceId }) => ({
      referenceId,
      httpStatusCode: referenceId in parts ? 200 : 400,
      body: parts[referenceId] ?? [{ errorCode: 'INVALID_TYPE', message: 'not supported' }],
    }));
    return anAnswer({ status: 200, body: { compositeResponse } });
  };
}

const IDENTITY = { identity: `https://acme.my.salesforce.com/id/${ORGANISATION}/${USER}` };

describe('live values', () => {
  it('take names from the picklist, flags from the stages, and inactive stages too', async () => {
    const read = await fetchFacts(anOrg(IDENTITY, PARTS), 5, {});
    expect(read).toMatchObject({
      ok: true,
      value: {
        fetchedAtMs: 5,
        stages: [
          { id: 'Closed Won', name: 'Gewonnen', status: 'won', active: true },
          { id: 'Typo', name: 'Typo', status: 'open', active: false },
        ],
        customFields: [{ key: 'NextStep', maxLength: 255 }],
        currency: { mode: 'organisation', code: 'EUR' },
        user: { id: USER, name: 'Integration' },
        organisation: { id: ORGANISATION, name: 'Acme' },
      },
    });
  });

  it.each([
    ['the list of resources does not name us', {}, { user_id: USER }, USER],
    ['nobody names us', {}, undefined, ''],
  ])('do without when %s', async (_, resources, userinfo, id) => {
    const read = await fetchFacts(anOrg(resources, {}, userinfo), 5, {});
    expect(read).toMatchObject({ ok: true, value: { user: { id }, owners: [], stages: [{ active: true }] } });
  });

  it('fail when a call does', async () => {
    const call: Call = async () => ({ kind: 'deferred', untilMs: 1, reason: 'rate_limited' });
    expect(await fetchFacts(call, 5, {})).toMatchObject({ ok: false, result: { kind: 'deferred' } });
    expect(await check(call, {})).toMatchObject({ ok: false, result: { kind: 'deferred' } });
  });
});

describe('who we are', () => {
  it.each([
    [IDENTITY, PARTS, { user: 'Integration', organisation: 'Acme' }],
    [IDENTITY, {}, { user: USER, organisation: ORGANISATION }],
    [{}, {}, { user: 'unknown' }],
  ])('%#', async (resources, parts, value) => {
    expect(await check(anOrg(resources, parts), {})).toMatchObject({ ok: true, value });
  });
});

describe('reading back', () => {
  it('gives the record without what is hidden beside it', async () => {
    const record = { Id: '006', Name: 'x' };
    expect(await readBack(anOrg({}, { opportunity: record }), '006', {})).toEqual({
      ok: true,
      value: record,
    });
  });

  it.each([
    ['refuses the record', anOrg({}, {}), { kind: 'answered', status: 400 }],
    ['is no composite', async () => anAnswer({ status: 200, body: 'x' }), { kind: 'unanswered' }],
    [
      'leaves it out',
      async () => anAnswer({ status: 200, body: { compositeResponse: [] } }),
      { kind: 'unanswered' },
    ],
    ['fails', async () => anAnswer({ status: 503 }), { kind: 'answered', status: 503 }],
  ])('reports an answer that %s', async (_, call, result) => {
    expect(await readBack(call, '006', {})).toMatchObject({ ok: false, result });
  });
});
