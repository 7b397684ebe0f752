import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { Call, Candidate, FindRequest, Found, Looked, ProviderRequest } from '../port.ts';
import { answeredWith } from '../read-call.ts';
import { hasMarker } from '../text-marker.ts';
import { definitionIdOf } from './custom-fields.ts';
import { recordUrl } from './descriptor.ts';
import { type Listed, listAll } from './paging.ts';
import { contentOf } from './plan-body.ts';
import { CapsuleOpportunity } from './responses.ts';

/** Lag and skewed clocks: so much before the attempt is still looked at. */
const LOOK_BACK_MS = 300_000;
/** A record as old as this before the attempt may be ours if the clocks differ; older, it only resembles it. */
const CLOCK_TOLERANCE_MS = 5_000;
const PERMANENT_REFUSALS = [400, 403, 404, 405, 422];

type Seen = { candidate: Candidate; mightBeOurs: boolean };
/** `mayBeRefused`: whether the sweep may be left out when Capsule will not answer it. */
type Sweep = { request: ProviderRequest; where: string; mayBeRefused: boolean };

/**
 * Looks for the record of a lost create: in the plain list of its party, in the plain list of everything
 * changed since, at last by the filter (which has an index of its own and unknown lag). Lowest id first.
 * @see https://developer.capsulecrm.com/v2/reference/filters
 */
export async function find(
  call: Call,
  request: FindRequest,
  _settings: AccountSettings,
): Promise<Looked<Found>> {
  const byId = new Map<string, Seen>();
  let complete = true;
  for (const sweep of sweepsFor(request)) {
    const listed = await run(call, sweep);
    if (!listed.ok) return listed;
    complete &&= listed.value.complete;
    for (const record of listed.value.rows) {
      const seen = judge(record, request, sweep.where);
      if (seen) byId.set(seen.candidate.remoteId, seen);
    }
    const matching = [...byId.values()].some(({ candidate }) => candidate.matches);
    // By marker the first match settles it; by content a second one could still turn up further on.
    if (matching && request.marker) break;
  }
  const all = [...byId.values()].sort((a, b) => Number(a.candidate.remoteId) - Number(b.candidate.remoteId));
  const candidates = all.map(({ candidate }) => candidate);
  const trustworthy =
    complete &&
    canCarryMarker(request) &&
    !all.some(({ candidate, mightBeOurs }) => mightBeOurs && !candidate.matches);
  if (candidates.some(({ matches }) => matches))
    return {
      ok: true,
      value: { kind: 'found', by: request.marker ? 'marker' : 'content', candidates, trustworthy },
    };
  return { ok: true, value: { kind: 'none', trustworthy, candidates } };
}

function sweepsFor({ plan, marker, sentAtProviderMs }: FindRequest): Sweep[] {
  const embed = 'fields,tags';
  const since = new Date(sentAtProviderMs - LOOK_BACK_MS).toISOString().replace(/\.\d+/, '');
  const party = plan.parentId === undefined ? [] : [plan.parentId];
  const get = (path: string, query: Record<string, unknown>): ProviderRequest => ({
    method: 'GET',
    path,
    query,
    purpose: 'probe',
  });
  return [
    ...party.map((id) => ({
      request: get(`/api/v2/parties/${encodeURIComponent(id)}/opportunities`, { embed }),
      where: 'list of the party',
      // The party may have been merged away; everything changed since covers its successor.
      mayBeRefused: true,
    })),
    { request: get('/api/v2/opportunities', { since, embed }), where: 'changed since', mayBeRefused: false },
    ...(marker?.kind === 'custom_field' ? [filterSweep(marker.field, marker.value)] : []),
  ];
}

function filterSweep(field: string, value: string): Sweep {
  const conditions = [{ field: `custom:${field}`, operator: 'is', value }];
  return {
    request: {
      method: 'POST',
      path: '/api/v2/opportunities/filters/results',
      query: { embed: 'fields,tags' },
      body: { filter: { conditions } },
      purpose: 'probe',
    },
    where: 'filter',
    mayBeRefused: true,
  };
}

async function run(call: Call, sweep: Sweep): Promise<Looked<Listed<CapsuleOpportunity>>> {
  const listed = await listAll(call, sweep.request, 'opportunities', CapsuleOpportunity);
  if (listed.ok || !sweep.mayBeRefused || !answeredWith(listed.result, ...PERMANENT_REFUSALS)) return listed;
  return { ok: true, value: { rows: [], complete: true } };
}

/** A marker in a field that does not exist proves nothing by its absence. */
function canCarryMarker({ marker, facts }: FindRequest): boolean {
  if (marker?.kind !== 'custom_field' || facts === undefined) return true;
  return facts.customFields.some((field) => field.key === marker.field);
}

/** Whether one record is the lost one; undefined for what is plainly something else. */
function judge(record: CapsuleOpportunity, request: FindRequest, where: string): Seen | undefined {
  const remoteId = String(record.id);
  const seen = (matches: boolean, mightBeOurs: boolean, why: string): Seen => ({
    candidate: { remoteId, url: recordUrl(request.credentials, remoteId), why: `${where}: ${why}`, matches },
    mightBeOurs,
  });
  const { marker, plan, sentAtProviderMs } = request;
  const carried = markerOf(record, request);
  if (marker && carried === marker.value) return seen(true, true, `carries the marker ${marker.value}`);
  const createdMs = Date.parse(record.createdAt ?? '');
  const ageMs = Number.isNaN(createdMs) ? 0 : sentAtProviderMs - createdMs;
  if (ageMs > LOOK_BACK_MS) return undefined;
  const actual = contentOf(record);
  const different = Object.keys(plan.content).filter((key) => actual[key] !== plan.content[key]);
  if (different.includes('name') || different.includes('party')) return undefined;
  if (different.length > 0)
    return seen(false, marker === undefined, `same name and party, but another ${different.join(', ')}`);
  if (marker) {
    const why = carried === undefined ? 'same content without a marker' : 'same content with another marker';
    return seen(false, carried === undefined, why);
  }
  const inTime = ageMs <= CLOCK_TOLERANCE_MS;
  return seen(inTime, true, inTime ? 'same content, created since' : 'same content, created shortly before');
}

/** The marker a record carries where this account's markers are written, whoever's it is. */
function markerOf(record: CapsuleOpportunity, { marker }: FindRequest): string | undefined {
  if (marker?.kind === 'custom_field') {
    const id = definitionIdOf(marker.field);
    const value = record.fields?.find(({ definition }) => definition.id === id)?.value;
    return typeof value === 'string' && value !== '' ? value : undefined;
  }
  if (marker === undefined) return undefined;
  if (hasMarker(record.description, marker.value)) return marker.value;
  return /\[ref:([^\]]+)\]/.exec(record.description ?? '')?.[1];
}
