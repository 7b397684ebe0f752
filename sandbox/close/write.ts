import type { Answer } from '../core/provider.ts';
import { type CloseCall, isObject, type JsonObject, ok } from './call.ts';
import { applyCustomKeys, type CustomValues } from './custom-values.ts';
import { badRequest, FIELD_TEXTS, type FieldErrors, fieldErrors, missingRecord } from './errors.ts';
import type { EventAction } from './event-log.ts';
import { type GivenFields, readFields, statusHelp } from './input.ts';
import type { Opportunity } from './opportunity.ts';
import type { Lead, Status } from './organisation.ts';
import { showOpportunity } from './show-opportunity.ts';
import { todayAt } from './timestamps.ts';

/** What Close fills in where the request says nothing. */
const DEFAULT_CONFIDENCE = 50;
const UNTITLED = 'Untitled';

export function createOpportunity(call: CloseCall): Answer {
  const { body, state, session, nowMs } = call;
  if (!isObject(body)) return notAnObject();
  const errors: FieldErrors = {};
  const given = readFields(body, call.raw, state, errors);
  const custom: CustomValues = {};
  applyCustomKeys(body, custom, errors, state, false);
  const status = chooseStatus(given, undefined, call, errors);
  checkContact(given.contactId ?? null, given.leadId ?? undefined, call, errors);
  if (status === undefined || hasAny(errors)) return fieldErrors(errors);

  // Leaving the lead out does not fail: a new one appears ("Create an opportunity").
  const leadId = given.leadId ?? createUntitledLead(call).id;
  const createdBy = given.createdBy ?? session.userId;
  const dates = closingDates(status, given.dateWon ?? null, null, call);
  const record: Opportunity = {
    id: state.nextId('oppo'),
    leadId,
    contactId: given.contactId ?? null,
    userId: given.userId ?? session.userId,
    createdBy,
    updatedBy: session.userId,
    createdMs: given.createdMs ?? nowMs,
    updatedMs: nowMs,
    dateWon: dates.dateWon,
    dateLost: dates.dateLost,
    status,
    value: given.value ?? null,
    valuePeriod: given.valuePeriod ?? 'one_time',
    confidence: given.confidence ?? DEFAULT_CONFIDENCE,
    note: given.note ?? null,
    attachments: given.attachments ?? [],
    custom,
  };
  state.opportunities.commit(record);
  logEvent(call, 'created', record, undefined);
  return ok(showOpportunity(record, state));
}

/** PUT is a patch: what is not named stays. */
export function updateOpportunity(call: CloseCall): Answer {
  const { body, state, nowMs } = call;
  const before = state.opportunities.findLive(call.id);
  if (before === undefined) return missingRecord('Opportunity');
  if (!isObject(body)) return notAnObject();
  const errors: FieldErrors = {};
  const given = readFields(body, call.raw, state, errors);
  const custom: CustomValues = { ...before.custom };
  applyCustomKeys(body, custom, errors, state, true);
  const status = chooseStatus(given, before.status, call, errors);
  if (given.leadId && given.leadId !== before.leadId) errors.lead = FIELD_TEXTS.fixed;
  checkContact(given.contactId ?? null, before.leadId, call, errors);
  if (status === undefined || hasAny(errors)) return fieldErrors(errors);

  const dateWon = given.dateWon === undefined ? before.dateWon : given.dateWon;
  const dates = status === before.status ? { dateWon, dateLost: before.dateLost } : undefined;
  const record: Opportunity = {
    ...before,
    ...(dates ?? closingDates(status, dateWon, before.dateLost, call)),
    contactId: given.contactId === undefined ? before.contactId : given.contactId,
    userId: given.userId ?? before.userId,
    createdBy: given.createdBy ?? before.createdBy,
    updatedBy: call.session.userId,
    createdMs: given.createdMs ?? before.createdMs,
    updatedMs: nowMs,
    status,
    value: given.value === undefined ? before.value : given.value,
    valuePeriod: given.valuePeriod ?? before.valuePeriod,
    confidence: given.confidence ?? before.confidence,
    note: given.note === undefined ? before.note : given.note,
    attachments: given.attachments ?? before.attachments,
    custom,
  };
  state.opportunities.commit(record);
  logEvent(call, 'updated', record, before);
  return ok(showOpportunity(record, state));
}

export function deleteOpportunity(call: CloseCall): Answer {
  const record = call.state.opportunities.findLive(call.id);
  if (record === undefined) return missingRecord('Opportunity');
  call.state.opportunities.remove(record);
  logEvent(call, 'deleted', undefined, record);
  return ok({});
}

/** The status named, else the first one of the pipeline named, else what it was, else the organisation's first. */
function chooseStatus(
  given: GivenFields,
  current: Status | undefined,
  { state }: CloseCall,
  errors: FieldErrors,
): Status | undefined {
  const { statusId, pipelineId } = given;
  if (typeof statusId === 'string') {
    const status = state.statuses.get(statusId);
    if (status !== undefined && pipelineId && status.pipelineId !== pipelineId) {
      errors.status = statusHelp(state);
    }
    return status;
  }
  if (current !== undefined && (!pipelineId || pipelineId === current.pipelineId)) return current;
  for (const status of state.statuses.values()) {
    if (!pipelineId || status.pipelineId === pipelineId) return status;
  }
  return undefined;
}

/** date_won sets itself when the deal is won and none is given; leaving the won status does not clear it. */
function closingDates(status: Status, dateWon: string | null, dateLost: string | null, call: CloseCall) {
  const today = todayAt(call.nowMs, call.tzOffset);
  return {
    dateWon: status.type === 'won' ? (dateWon ?? today) : dateWon,
    dateLost: status.type === 'lost' ? (dateLost ?? today) : dateLost,
  };
}

function checkContact(
  contactId: string | null,
  leadId: string | undefined,
  { state }: CloseCall,
  errors: FieldErrors,
): void {
  if (contactId === null || errors.contact !== undefined) return;
  if (state.contacts.get(contactId)?.leadId !== leadId) errors.contact = FIELD_TEXTS.missingObject;
}

function createUntitledLead(call: CloseCall): Lead {
  const { state, session, nowMs } = call;
  const lead: Lead = { id: state.nextId('lead'), name: UNTITLED, contactIds: [], createdMs: nowMs };
  state.leads.set(lead.id, lead);
  state.events.add({
    action: 'created',
    objectId: lead.id,
    leadId: lead.id,
    userId: session.userId,
    apiKeyId: session.apiKeyId,
    requestId: call.requestId,
    method: call.method,
    path: call.path,
    after: lead,
    before: undefined,
  });
  return lead;
}

function logEvent(
  call: CloseCall,
  action: EventAction,
  after: Opportunity | undefined,
  before: Opportunity | undefined,
): void {
  const { id, leadId } = after ?? before ?? { id: '', leadId: '' };
  call.state.events.add({
    action,
    objectId: id,
    leadId,
    userId: call.session.userId,
    apiKeyId: call.session.apiKeyId,
    requestId: call.requestId,
    method: call.method,
    path: call.path,
    after,
    before,
  });
}

function notAnObject(): Answer {
  return badRequest('The request body must be a JSON object.');
}

function hasAny(errors: JsonObject): boolean {
  for (const _ in errors) return true;
  return false;
}
