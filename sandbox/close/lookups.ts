import type { Answer } from '../core/provider.ts';
import { type CloseCall, ok } from './call.ts';
import { type FieldErrors, fieldErrors, missingRecord } from './errors.ts';
import {
  type Contact,
  type Lead,
  ORGANISATION_ID,
  ORGANISATION_NAME,
  SEEDED_MS,
  type Status,
  type User,
} from './organisation.ts';
import { readPaging } from './paging.ts';
import type { CloseState } from './state.ts';
import { formatTimestamp, formatTimestampWithoutZone } from './timestamps.ts';

const SEEDED_AT = formatTimestamp(SEEDED_MS);

/** The user of the key, with the organisations it belongs to; the usual connection test. */
export function getMe(call: CloseCall): Answer {
  const user = call.state.users.get(call.session.userId);
  if (user === undefined) return missingRecord('User');
  const membership = {
    id: `memb_${user.id.slice('user_'.length)}`,
    organization_id: ORGANISATION_ID,
    user_id: user.id,
    role_id: user.isAdmin ? 'admin' : 'user',
  };
  return ok({
    ...showUser(user),
    organizations: [{ id: ORGANISATION_ID, name: ORGANISATION_NAME }],
    memberships: [membership],
  });
}

export function listUsers(call: CloseCall): Answer {
  return listPage(call, [...call.state.users.values()].map(showUser));
}

export function getUser(call: CloseCall): Answer {
  return getOne('User', call.state.users.get(call.id), showUser);
}

export function getOrganisation(call: CloseCall): Answer {
  const { state, id } = call;
  if (id !== ORGANISATION_ID) return missingRecord('Organization');
  return ok({
    id: ORGANISATION_ID,
    name: ORGANISATION_NAME,
    currency: state.options().currency,
    date_created: SEEDED_AT,
    date_updated: SEEDED_AT,
    opportunity_statuses: [...state.statuses.values()].map(showStatus),
    pipelines: showPipelines(state),
    memberships: [...state.users.values()].map((user) => ({
      id: `memb_${user.id.slice('user_'.length)}`,
      user_id: user.id,
      user_full_name: `${user.firstName} ${user.lastName}`,
      user_email: user.email,
    })),
  });
}

export function listStatuses(call: CloseCall): Answer {
  return listPage(call, [...call.state.statuses.values()].map(showStatus));
}

export function listPipelines(call: CloseCall): Answer {
  return listPage(call, showPipelines(call.state));
}

export function getLead(call: CloseCall): Answer {
  return getOne('Lead', call.state.leads.get(call.id), (lead) => showLead(lead, call.state));
}

export function getContact(call: CloseCall): Answer {
  return getOne('Contact', call.state.contacts.get(call.id), showContact);
}

export function showLead(lead: Lead, state: CloseState): Record<string, unknown> {
  return {
    id: lead.id,
    organization_id: ORGANISATION_ID,
    name: lead.name,
    display_name: lead.name,
    date_created: formatTimestamp(lead.createdMs),
    date_updated: formatTimestamp(lead.createdMs),
    contacts: lead.contactIds.flatMap((id) => {
      const contact = state.contacts.get(id);
      return contact === undefined ? [] : [showContact(contact)];
    }),
  };
}

function showContact(contact: Contact): Record<string, unknown> {
  return {
    id: contact.id,
    organization_id: ORGANISATION_ID,
    lead_id: contact.leadId,
    name: contact.name,
    display_name: contact.name,
    title: contact.title,
    emails: [{ email: contact.email, type: 'office' }],
    phones: [],
    urls: [],
    date_created: SEEDED_AT,
    date_updated: SEEDED_AT,
  };
}

function showUser(user: User): Record<string, unknown> {
  return {
    id: user.id,
    first_name: user.firstName,
    last_name: user.lastName,
    email: user.email,
    image: null,
    date_created: SEEDED_AT,
    date_updated: SEEDED_AT,
  };
}

function showStatus(status: Status): Record<string, unknown> {
  return {
    id: status.id,
    label: status.label,
    type: status.type,
    organization_id: ORGANISATION_ID,
    pipeline_id: status.pipelineId,
  };
}

/** Pipelines are the place where timestamps come without a zone. */
function showPipelines(state: CloseState): Record<string, unknown>[] {
  return [...state.pipelines.values()].map((pipeline) => ({
    id: pipeline.id,
    name: pipeline.name,
    organization_id: ORGANISATION_ID,
    statuses: [...state.statuses.values()]
      .filter((status) => status.pipelineId === pipeline.id)
      .map(({ id, label, type }) => ({ id, label, type })),
    created_by: null,
    updated_by: null,
    date_created: formatTimestampWithoutZone(SEEDED_MS),
    date_updated: formatTimestampWithoutZone(SEEDED_MS),
  }));
}

function listPage(call: CloseCall, rows: unknown[]): Answer {
  const errors: FieldErrors = {};
  const { skip, limit } = readPaging(call.params, errors);
  if (Object.keys(errors).length > 0) return fieldErrors(errors);
  return ok({ data: rows.slice(skip, skip + limit), has_more: skip + limit < rows.length });
}

function getOne<Item>(model: string, item: Item | undefined, show: (item: Item) => unknown): Answer {
  return item === undefined ? missingRecord(model) : ok(show(item));
}
