import { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { Call, Candidate, FindRequest, Found, Looked, Marker } from '../port.ts';
import { recordUrl } from './descriptor.ts';
import { findByContent } from './find-by-content.ts';
import { dataPath } from './paths.ts';
import { readErrors } from './provider-errors.ts';
import { notLooked, query, unreadable } from './reads.ts';
import { soqlText } from './soql.ts';

const Row = z.looseObject({ Id: z.string(), IsDeleted: z.boolean().nullish() });

/** {@link ProviderClient.find}: by external id, else by the marker's text field, else by content. Never by search index. */
export async function find(
  call: Call,
  request: FindRequest,
  settings: AccountSettings,
): Promise<Looked<Found>> {
  const { marker } = request;
  switch (marker?.kind) {
    case 'external_id':
      return findByExternalId(call, request, marker, settings);
    case 'custom_field':
      return findByMarker(call, request, marker, settings, 'marker');
    default:
      return findByContent(call, request, settings);
  }
}

/**
 * GET by our key. A key that is unique in the organisation settles the matter at once, either way; only the Recycle Bin
 * has to be asked beside it, where a record that somebody deleted meanwhile still proves that it was written.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/using_resources_retrieve_with_externalid.htm
 */
async function findByExternalId(
  call: Call,
  request: FindRequest,
  marker: Marker,
  settings: AccountSettings,
): Promise<Looked<Found>> {
  const path = dataPath(settings, 'sobjects', 'Opportunity', marker.field, marker.value);
  const result = await call({ method: 'GET', path, query: { fields: 'Id' }, purpose: 'probe' });
  if (result.kind !== 'answered') return notLooked(result);
  if (result.status === 200) {
    const row = Row.safeParse(result.body);
    if (!row.success) return unreadable(result, path);
    return found('native_key', [toCandidate(request, row.data, `has the key ${marker.value}`)]);
  }
  const isAbsent =
    result.status === 404 &&
    readErrors(result.body).some(
      ({ code, message }) => code === 'NOT_FOUND' && !/external ID field/i.test(message),
    );
  // 300: the field is not unique after all and several records have the key; the query lists them.
  if (isAbsent || result.status === 300) return findByMarker(call, request, marker, settings, 'native_key');
  return notLooked(result);
}

/** All records that carry our key, deleted ones included. */
async function findByMarker(
  call: Call,
  request: FindRequest,
  marker: Marker,
  settings: AccountSettings,
  by: 'native_key' | 'marker',
): Promise<Looked<Found>> {
  const soql = `SELECT Id, IsDeleted FROM Opportunity WHERE ${marker.field} = ${soqlText(marker.value)} ORDER BY Id LIMIT 100`;
  const answer = await query(call, settings, { soql, row: Row, purpose: 'probe', resource: 'queryAll' });
  if (!answer.ok) return answer;
  const candidates = answer.value.records.map((row) =>
    toCandidate(
      request,
      row,
      `has the key ${marker.value}${row.IsDeleted === true ? ' and is in the Recycle Bin' : ''}`,
    ),
  );
  return candidates.length > 0
    ? found(by, candidates)
    : { ok: true, value: { kind: 'none', trustworthy: true, candidates: [] } };
}

function toCandidate({ credentials }: FindRequest, row: z.infer<typeof Row>, why: string): Candidate {
  return { remoteId: row.Id, url: recordUrl(credentials, row.Id), why, matches: true };
}

function found(by: 'native_key' | 'marker', candidates: Candidate[]): Looked<Found> {
  return { ok: true, value: { kind: 'found', by, candidates } };
}
