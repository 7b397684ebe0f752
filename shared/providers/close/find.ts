import type { AccountSettings } from '../../domain/integrated-account.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { Call, Candidate, FindRequest, Found, Looked } from '../port.ts';
import { answeredWith, readAs } from '../read-call.ts';
import { hasMarker } from '../text-marker.ts';
import { bodyKeyOf, fieldIdOf } from './custom-fields.ts';
import { recordUrl } from './descriptor.ts';
import { bodyOf, contentOf } from './plan-body.ts';
import { CloseEvents, CloseRecord, closeList } from './responses.ts';
import { parseTime } from './timestamps.ts';

/**
 * Close may list an event out of order and late by minutes, so everything from 5 minutes before the attempt
 * is looked at. @see https://developer.close.com/api/resources/events
 */
const LOOK_BACK_MS = 300_000;
/** A record as old as this before the attempt may be ours if the clocks differ; older, it only resembles it. */
const CLOCK_TOLERANCE_MS = 5_000;
const EVENTS_PER_PAGE = 50;
const RECORDS_PER_PAGE = 100;
const PAGES_MAX = 40;

type Seen = { candidate: Candidate; mightBeOurs: boolean };
type Swept = { seen: Seen[]; complete: boolean };

/**
 * Looks for the record of a lost create on its lead: in the log of created events, which is immediate, then
 * in the list, newest change first. The list goes by `date_updated`, because `date_created` is ours to set.
 */
export async function find(
  call: Call,
  request: FindRequest,
  _settings: AccountSettings,
): Promise<Looked<Found>> {
  const byId = new Map<string, Seen>();
  let complete = true;
  for (const sweep of [sweepEvents, sweepList]) {
    const swept = await sweep(call, request);
    if (!swept.ok) return swept;
    complete &&= swept.value.complete;
    for (const seen of swept.value.seen) {
      const before = byId.get(seen.candidate.remoteId);
      // The event shows the record as it was created; a later look must not undo a match.
      if (!before?.candidate.matches) byId.set(seen.candidate.remoteId, seen);
    }
    const candidates = inOrder(byId).map(({ candidate }) => candidate);
    // By marker the first match settles it; by content a second one could still turn up in the list.
    if (request.marker && candidates.some(({ matches }) => matches))
      return { ok: true, value: { kind: 'found', by: 'marker', candidates } };
  }
  const all = inOrder(byId);
  const candidates = all.map(({ candidate }) => candidate);
  const trustworthy =
    complete &&
    canCarryMarker(request) &&
    !all.some(({ candidate, mightBeOurs }) => mightBeOurs && !candidate.matches);
  if (candidates.some(({ matches }) => matches))
    return { ok: true, value: { kind: 'found', by: 'content', candidates, trustworthy } };
  return { ok: true, value: { kind: 'none', trustworthy, candidates } };
}

/** Close's ids say nothing about age; any fixed order makes every look-up adopt the same one of several. */
function inOrder(byId: Map<string, Seen>): Seen[] {
  return [...byId.values()].sort((a, b) => (a.candidate.remoteId < b.candidate.remoteId ? -1 : 1));
}

/** Close drops unknown keys silently: a marker in a field that does not exist proves nothing by its absence. */
function canCarryMarker({ marker, facts }: FindRequest): boolean {
  if (marker?.kind !== 'custom_field' || facts === undefined) return true;
  return facts.customFields.some((field) => field.key === fieldIdOf(marker.field));
}

async function sweepEvents(call: Call, request: FindRequest): Promise<Looked<Swept>> {
  const seen: Seen[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = {
      lead_id: request.plan.parentId,
      object_type: 'opportunity',
      action: 'created',
      _limit: EVENTS_PER_PAGE,
      ...(cursor === undefined ? {} : { _cursor: cursor }),
    };
    const looked = await readAs(
      call,
      { method: 'GET', path: '/api/v1/event/', query, purpose: 'probe' },
      CloseEvents,
    );
    if (!looked.ok) return looked;
    const recent = looked.value.data.filter((event) => isAfter(event.date_created, request, LOOK_BACK_MS));
    for (const event of recent) {
      if (!event.object_id) continue;
      const record = await readEventRecord(call, event.object_id, event.data);
      if (!record.ok) return record;
      if (record.value) seen.push(judge(event.object_id, record.value, request, 'created event'));
    }
    cursor = looked.value.cursor_next ?? undefined;
    if (cursor === undefined || recent.length < looked.value.data.length)
      return { ok: true, value: { seen, complete: true } };
  }
  return { ok: true, value: { seen, complete: false } };
}

/** The event carries the record as created; who is no administrator loses sight of it and has to ask by id. */
async function readEventRecord(
  call: Call,
  id: string,
  data: unknown,
): Promise<Looked<CloseRecord | undefined>> {
  const shown = CloseRecord.safeParse(data);
  if (shown.success && isJsonObject(data) && 'note' in data && 'lead_id' in data)
    return { ok: true, value: shown.data };
  const path = `/api/v1/opportunity/${encodeURIComponent(id)}/`;
  const looked = await readAs(call, { method: 'GET', path, purpose: 'probe' }, CloseRecord);
  return !looked.ok && answeredWith(looked.result, 404) ? { ok: true, value: undefined } : looked;
}

async function sweepList(call: Call, request: FindRequest): Promise<Looked<Swept>> {
  const seen: Seen[] = [];
  const marker = markerKeyOf(request);
  const fields = ['id', 'lead_id', 'note', 'value', 'date_won', 'date_created', 'date_updated', 'created_by'];
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = {
      lead_id: request.plan.parentId,
      _order_by: '-date_updated',
      _fields: [...fields, ...(marker === undefined ? [] : [marker])].join(','),
      _limit: RECORDS_PER_PAGE,
      _skip: page * RECORDS_PER_PAGE,
    };
    const path = '/api/v1/opportunity/';
    const looked = await readAs(
      call,
      { method: 'GET', path, query, purpose: 'probe' },
      closeList(CloseRecord),
    );
    if (!looked.ok) return looked;
    const { data, has_more } = looked.value;
    const recent = data.filter((record) => isAfter(record.date_updated, request, LOOK_BACK_MS));
    for (const record of recent)
      if (record.id) seen.push(judge(record.id, record, request, 'list of the lead'));
    if (has_more !== true || recent.length < data.length)
      return { ok: true, value: { seen, complete: true } };
  }
  return { ok: true, value: { seen, complete: false } };
}

function markerKeyOf({ marker }: FindRequest): string | undefined {
  const id = marker?.kind === 'custom_field' ? fieldIdOf(marker.field) : undefined;
  return id === undefined ? undefined : bodyKeyOf(id);
}

/** Unreadable times count as recent: better one candidate too many. */
function isAfter(text: string | null | undefined, request: FindRequest, toleranceMs: number): boolean {
  const ms = parseTime(text);
  return ms === undefined || ms >= request.sentAtProviderMs - toleranceMs;
}

/** Whether one record is the lost one; `mightBeOurs` when it is too close to it to be sure of absence. */
function judge(id: string, record: CloseRecord, request: FindRequest, where: string): Seen {
  const url = recordUrl(request.credentials, id);
  const seen = (matches: boolean, mightBeOurs: boolean, why: string): Seen => ({
    candidate: { remoteId: id, url, why: `${where}: ${why}`, matches },
    mightBeOurs,
  });
  const { marker } = request;
  const key = markerKeyOf(request);
  if (marker && (key ? record[key] === marker.value : hasMarker(record.note, marker.value)))
    return seen(true, true, `carries the marker ${marker.value}`);
  const [same, different] = compare(record, request);
  const ours = isByUs(record, request);
  if (!ours || !same.includes('note'))
    return seen(false, false, ours ? 'another note' : 'created by another user');
  if (different.length > 0)
    return seen(false, marker === undefined, `same note, but another ${different.join(', ')}`);
  if (marker) {
    const carries = key ? Boolean(record[key]) : /\[ref:/.test(record.note ?? '');
    return seen(
      false,
      !carries,
      carries ? 'same content with another marker' : 'same content without a marker',
    );
  }
  const inTime =
    request.plan.content.date_created !== null || isAfter(record.date_created, request, CLOCK_TOLERANCE_MS);
  return seen(inTime, true, inTime ? 'same content, created since' : 'same content, created shortly before');
}

/** Names of the compared values that agree, and that do not. */
function compare(record: CloseRecord, { plan }: FindRequest): [string[], string[]] {
  const actual = contentOf(record);
  const same = (key: string) => {
    const wanted = plan.content[key] ?? null;
    // What we left out Close may fill in: the creation time, no value as 0, the date of a deal won at once.
    if (wanted === null && (key === 'date_created' || key === 'date_won')) return true;
    return wanted === actual[key] || (key === 'value' && wanted === null && actual[key] === 0);
  };
  const keys = Object.keys(plan.content);
  return [keys.filter(same), keys.filter((key) => !same(key))];
}

function isByUs(record: CloseRecord, { facts, plan }: FindRequest): boolean {
  if (!facts?.user.id || !record.created_by || bodyOf(plan).created_by !== undefined) return true;
  return record.created_by === facts.user.id;
}
