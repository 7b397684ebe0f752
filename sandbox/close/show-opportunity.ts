import { annualize, expected, formatValue } from './money.ts';
import type { Opportunity } from './opportunity.ts';
import { ORGANISATION_ID, type User } from './organisation.ts';
import type { CloseState } from './state.ts';
import { formatTimestamp } from './timestamps.ts';

/** The full object as Close answers it: flat, with derived fields and one `custom.cf_…` key per set field. */
export function showOpportunity(record: Opportunity, state: CloseState): Record<string, unknown> {
  const { value, valuePeriod, confidence, status } = record;
  const currency = state.options().currency;
  const annualized = value === null ? null : annualize(value, valuePeriod);
  const shown: Record<string, unknown> = {
    id: record.id,
    organization_id: ORGANISATION_ID,
    lead_id: record.leadId,
    lead_name: state.leads.get(record.leadId)?.name ?? null,
    contact_id: record.contactId,
    contact_name: record.contactId === null ? null : (state.contacts.get(record.contactId)?.name ?? null),
    user_id: record.userId,
    user_name: userName(state.users.get(record.userId)),
    created_by: record.createdBy,
    created_by_name: userName(state.users.get(record.createdBy)),
    updated_by: record.updatedBy,
    updated_by_name: userName(state.users.get(record.updatedBy)),
    date_created: formatTimestamp(record.createdMs),
    date_updated: formatTimestamp(record.updatedMs),
    date_won: record.dateWon,
    date_lost: record.dateLost,
    status_id: status.id,
    status_label: status.label,
    status_display_name: status.label,
    status_type: status.type,
    pipeline_id: status.pipelineId,
    pipeline_name: state.pipelines.get(status.pipelineId)?.name ?? null,
    value,
    value_currency: currency,
    value_formatted: value === null ? null : formatValue(value, currency, valuePeriod),
    value_period: valuePeriod,
    annualized_value: annualized,
    expected_value: value === null ? null : expected(value, confidence),
    annualized_expected_value: annualized === null ? null : expected(annualized, confidence),
    confidence,
    note: record.note,
    note_html: record.note === null ? null : noteHtml(record.note),
    attachments: record.attachments,
    integration_links: [],
  };
  for (const id in record.custom) shown[`custom.${id}`] = record.custom[id];
  return shown;
}

/** `_fields` keeps the named keys; `custom` stands for all custom fields. */
export function keepFields(
  shown: Record<string, unknown>,
  fields: string | undefined,
): Record<string, unknown> {
  if (fields === undefined || fields === '') return shown;
  const kept: Record<string, unknown> = {};
  for (const name of fields.split(',').map((field) => field.trim())) {
    if (name === 'custom') {
      for (const key in shown) if (key.startsWith('custom.')) kept[key] = shown[key];
    } else if (name in shown) kept[name] = shown[name];
  }
  return kept;
}

export function userName(user: User | undefined): string | null {
  return user === undefined ? null : `${user.firstName} ${user.lastName}`;
}

const HTML_ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function noteHtml(note: string): string {
  const escaped = note.replace(/[&<>]/g, (character) => HTML_ENTITIES[character] ?? character);
  return `<body><p>${escaped.replaceAll('\n', '<br>')}</p></body>`;
}
