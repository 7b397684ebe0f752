import type { Answer } from '../core/provider.ts';
import { type CloseCall, ok } from './call.ts';
import { FIELD_TEXTS, fieldErrors, fieldErrorsOnly, missingRecord } from './errors.ts';
import type { LoggedEvent } from './event-log.ts';
import { showLead } from './lookups.ts';
import type { Opportunity } from './opportunity.ts';
import { type Lead, ORGANISATION_ID } from './organisation.ts';
import { showOpportunity } from './show-opportunity.ts';
import type { CloseState } from './state.ts';
import { formatTimestampWithoutZone, parseTimestamp } from './timestamps.ts';

const LIMIT_MAX = 50;
/** People who are not admins see the record in an event for one hour ("Event Log"). */
const DATA_VISIBLE_MS = 3_600_000;

const FILTERS = ['object_type', 'object_id', 'action', 'lead_id', 'user_id', 'request_id'] as const;
type FilterName = (typeof FILTERS)[number];

/** The combinations the page "Retrieve a list of events" allows, and none at all. */
const COMBINATIONS = new Set([
  '',
  'object_type,object_id',
  'object_type,action',
  'object_id,action',
  'object_type,lead_id',
  'object_type,action,lead_id',
  'object_type,lead_id,user_id',
  'object_type,action,lead_id,user_id',
  'lead_id,user_id',
  'object_id,user_id',
  'object_id,action,user_id',
  'object_type,user_id',
  'object_type,action,user_id',
  'lead_id',
  'user_id',
  'request_id',
]);

/** Newest first, by cursor; at most 50. */
export function listEvents(call: CloseCall): Answer {
  const { params, state } = call;
  const filters = FILTERS.filter((name) => params.has(name));
  if (!COMBINATIONS.has(filters.join(','))) {
    return fieldErrors({ __all__: `Filtering by ${filters.join(', ')} together is not supported.` });
  }
  const window = readWindow(params);
  if ('status' in window) return window;
  const limit = readLimit(params.get('_limit'));
  const newer: LoggedEvent[] = [];
  const page: LoggedEvent[] = [];
  let hasNewer = false;
  let hasOlder = false;
  for (const event of state.events.visible(params.get('lead_id'))) {
    if (!matches(event, filters, params) || event.atMs < window.fromMs || event.atMs > window.toMs) continue;
    if (window.newerThan !== undefined) {
      if (event.number <= window.newerThan) {
        hasOlder = true;
        break;
      }
      newer.push(event);
    } else if (event.number >= window.olderThan) hasNewer = true;
    else if (page.length < limit) page.push(event);
    else {
      hasOlder = true;
      break;
    }
  }
  if (window.newerThan !== undefined) {
    hasNewer = newer.length > limit;
    page.push(...newer.slice(-limit));
  }
  const first = page[0];
  const last = page.at(-1);
  return ok({
    data: page.map((event) => showEvent(event, call)),
    cursor_next: hasOlder && last !== undefined ? writeCursor('b', last.number) : null,
    cursor_previous: hasNewer && first !== undefined ? writeCursor('a', first.number) : null,
  });
}

export function getEvent(call: CloseCall): Answer {
  for (const event of call.state.events.visible()) {
    if (eventId(event) === call.id) return ok(showEvent(event, call));
  }
  return missingRecord('Event');
}

type Window = { fromMs: number; toMs: number; olderThan: number; newerThan: number | undefined };

function readWindow(params: Map<string, string>): Window | Answer {
  const window: Window = {
    fromMs: -Infinity,
    toMs: Infinity,
    olderThan: Infinity,
    newerThan: undefined,
  };
  for (const [suffix, key, shift] of [
    ['gt', 'fromMs', 1],
    ['gte', 'fromMs', 0],
    ['lt', 'toMs', -1],
    ['lte', 'toMs', 0],
  ] as const) {
    const text = params.get(`date_updated__${suffix}`);
    if (text === undefined) continue;
    const ms = parseTimestamp(text);
    if (ms === undefined) return fieldErrors({ [`date_updated__${suffix}`]: FIELD_TEXTS.notADateTime });
    window[key] = ms + shift;
  }
  const cursor = params.get('_cursor');
  if (cursor === undefined) return window;
  const match = /^([ab])(\d+)$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) return fieldErrorsOnly({ _cursor: 'Invalid cursor.' });
  if (match[1] === 'b') window.olderThan = Number(match[2]);
  else window.newerThan = Number(match[2]);
  return window;
}

function writeCursor(side: 'a' | 'b', number: number): string {
  return Buffer.from(`${side}${number}`, 'latin1').toString('base64url');
}

/** More than the cap is not an error here, only capped. */
function readLimit(text: string | undefined): number {
  const limit = Number(text);
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, LIMIT_MAX) : LIMIT_MAX;
}

function matches(event: LoggedEvent, filters: FilterName[], params: Map<string, string>): boolean {
  return filters.every((name) => readFilter(event, name) === params.get(name));
}

function readFilter(event: LoggedEvent, name: FilterName): string {
  switch (name) {
    case 'object_type':
      return objectType(event);
    case 'object_id':
      return event.objectId;
    case 'action':
      return event.action;
    case 'lead_id':
      return event.leadId;
    case 'user_id':
      return event.userId;
    case 'request_id':
      return event.requestId;
  }
}

function objectType(event: LoggedEvent): string {
  return event.objectId.startsWith('lead_') ? 'lead' : 'opportunity';
}

function eventId(event: LoggedEvent): string {
  return `ev_${event.number.toString(36).padStart(12, '0')}`;
}

function showEvent(event: LoggedEvent, { state, session, nowMs }: CloseCall): Record<string, unknown> {
  const at = formatTimestampWithoutZone(event.atMs);
  const shown: Record<string, unknown> = {
    id: eventId(event),
    date_created: at,
    date_updated: at,
    action: event.action,
    object_type: objectType(event),
    object_id: event.objectId,
    lead_id: event.leadId,
    organization_id: ORGANISATION_ID,
    user_id: event.userId,
    request_id: event.requestId,
    api_key_id: event.apiKeyId,
    oauth_client_id: null,
    meta: { request_method: event.method, request_path: event.path },
  };
  const seesData = state.users.get(session.userId)?.isAdmin === true || nowMs - event.atMs < DATA_VISIBLE_MS;
  const after = event.after === undefined ? {} : showRecord(event.after, state);
  const before = event.before === undefined ? {} : showOpportunity(event.before, state);
  const changed = event.action === 'updated' ? changedFields(before, after) : [];
  shown.changed_fields = changed;
  if (seesData) {
    shown.data = after;
    shown.previous_data = event.action === 'deleted' ? before : pick(before, changed);
  }
  return shown;
}

function showRecord(record: Opportunity | Lead, state: CloseState): Record<string, unknown> {
  return 'status' in record ? showOpportunity(record, state) : showLead(record, state);
}

function changedFields(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

function pick(record: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, record[name] ?? null]));
}
