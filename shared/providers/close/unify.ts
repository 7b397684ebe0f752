import type { AccountFacts } from '../../domain/integrated-account.ts';
import { fromMinorUnits, minorDigits } from '../../domain/money.ts';
import type { Opportunity } from '../../domain/opportunity.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import { fieldIdOf } from './custom-fields.ts';
import { readNote } from './note.ts';
import { CloseOpportunity } from './responses.ts';
import { parseTime } from './timestamps.ts';

const STATUS = { active: 'open', won: 'won', lost: 'lost' } as const;

/**
 * Close's record as our opportunity. Close answers a create with the whole record, its currency included.
 * @see https://developer.close.com/api/resources/opportunities/get
 */
export function unify(record: unknown, facts: AccountFacts | undefined): Opportunity {
  const own = CloseOpportunity.parse(record);
  const currency = own.value_currency ?? facts?.currency.code ?? null;
  const stage = facts?.stages.find((known) => known.id === own.status_id);
  const type = own.status_type ?? undefined;
  const updatedAt = toUtc(own.date_updated);
  return {
    id: own.id,
    ...readNote(own.note),
    amount:
      typeof own.value === 'number' ? fromMinorUnits(own.value, currency ? minorDigits(currency) : 2) : null,
    currency,
    owner: own.user_id ? { id: own.user_id } : null,
    account: own.lead_id ? { id: own.lead_id, name: own.lead_name ?? null } : null,
    contact: own.contact_id ? [{ id: own.contact_id }] : [],
    stage: own.status_id ? { id: own.status_id, name: own.status_label ?? stage?.name ?? null } : null,
    status: type ? STATUS[type] : (stage?.status ?? null),
    custom_fields: isJsonObject(record) ? readCustomFields(record) : {},
    // Nothing nearer exists on Close's opportunity; Truto lists the field as supported for Close.
    last_activity_at: updatedAt,
    close_date: own.date_won?.slice(0, 10) ?? null,
    created_at: toUtc(own.date_created),
    updated_at: updatedAt,
  };
}

function readCustomFields(record: Record<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    const id = key.startsWith('custom.') ? fieldIdOf(key) : undefined;
    if (id !== undefined) fields[id] = record[key];
  }
  return fields;
}

function toUtc(text: string | null | undefined): string | null {
  const ms = parseTime(text);
  return ms === undefined ? null : new Date(ms).toISOString();
}
