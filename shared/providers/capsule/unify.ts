import type { AccountFacts } from '../../domain/integrated-account.ts';
import { decimalText } from '../../domain/money.ts';
import type { Opportunity } from '../../domain/opportunity.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import { stripMarker } from '../text-marker.ts';
import { CapsuleEnvelope, type CapsuleOpportunity, type CapsuleParty } from './responses.ts';

/**
 * Capsule's record as our opportunity: the create's answer, a bare record, or what `readBack` returned.
 * Tags and custom fields are absent where they were not embedded.
 * @see https://developer.capsulecrm.com/v2/models/opportunity
 */
export function unify(record: unknown, facts: AccountFacts | undefined): Opportunity {
  const isWrapped = isJsonObject(record) && 'opportunity' in record;
  const { opportunity: own, parties } = CapsuleEnvelope.parse(isWrapped ? record : { opportunity: record });
  const { milestone, party, value } = own;
  return {
    id: String(own.id),
    name: own.name ?? null,
    description: stripMarker(own.description ?? '') || null,
    amount: value?.amount ?? null,
    currency: value?.currency ?? null,
    owner: own.owner ? { id: String(own.owner.id) } : null,
    account: party ? { id: String(party.id), name: nameOfParty(party) } : null,
    contact: readContacts(party, parties ?? []),
    stage: milestone ? { id: String(milestone.id), name: milestone.name ?? null } : null,
    status: readStatus(own, facts),
    ...(own.tags ? { tags: own.tags.map(({ id, name }) => ({ id: String(id), name: name ?? null })) } : {}),
    ...(own.fields ? { custom_fields: readCustomFields(own.fields, facts) } : {}),
    last_activity_at: toUtc(own.lastContactedAt),
    close_date: own.expectedCloseOn?.slice(0, 10) ?? null,
    created_at: toUtc(own.createdAt),
    updated_at: toUtc(own.updatedAt),
  };
}

function nameOfParty(party: CapsuleParty): string | null {
  return party.name ?? ([party.firstName, party.lastName].filter(Boolean).join(' ') || null);
}

/** A person as the main party is account and contact in one; an organisation is only the account. */
function readContacts(main: CapsuleParty | null | undefined, parties: CapsuleParty[]): { id: string }[] {
  const people = [...(main?.type === 'person' ? [main] : []), ...parties.filter(({ id }) => id !== main?.id)];
  return people.map(({ id }) => ({ id: String(id) }));
}

/** The nested milestone does not say whether it closes; the account's milestones do, else the record's dates. */
function readStatus(own: CapsuleOpportunity, facts: AccountFacts | undefined): 'open' | 'won' | 'lost' {
  const known = facts?.stages.find((stage) => stage.id === String(own.milestone?.id));
  if (known) return known.status;
  if (!own.closedOn) return 'open';
  return own.probability === 0 ? 'lost' : 'won';
}

/** By definition id. Numbers come back as text: they are numbers again where the type is known. */
function readCustomFields(
  fields: NonNullable<CapsuleOpportunity['fields']>,
  facts: AccountFacts | undefined,
): Record<string, unknown> {
  const entries = fields.map(({ definition, value }): [string, unknown] => {
    const key = String(definition.id);
    const fact = facts?.customFields.find((known) => known.key === key);
    return [key, readValue(value, fact?.type.toLowerCase(), fact?.multiple ?? false)];
  });
  return Object.fromEntries(entries);
}

function readValue(value: unknown, type: string | undefined, multiple: boolean): unknown {
  if (typeof value !== 'string') return value;
  if (multiple) return value.split(';');
  if (type !== 'number' || !/^-?\d+(?:\.\d+)?$/.test(value)) return value;
  // Only if no digit is lost on the way.
  const n = Number(value);
  return decimalText(n) === value ? n : value;
}

/** Capsule writes whole seconds with `Z`; ours have milliseconds. */
function toUtc(text: string | null | undefined): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
