import type { AccountFacts } from '../../domain/integrated-account.ts';
import type { Opportunity } from '../../domain/opportunity.ts';
import { OpportunityRecord } from './responses.ts';

/**
 * {@link ProviderDescriptor.unify}: an Opportunity as `readBack` gives it, or the bare `{id}` of a create answer.
 * Dates without a time stay dates; moments become ISO 8601 in UTC. Tags are absent: there is no such field.
 */
export function unify(record: unknown, facts: AccountFacts | undefined): Opportunity {
  const parsed = OpportunityRecord.safeParse(record);
  const fields: OpportunityRecord = parsed.success ? parsed.data : {};
  const currency = fields.CurrencyIsoCode ?? organisationCurrency(facts);
  return withoutUndefined({
    id: fields.Id ?? fields.id ?? '',
    name: fields.Name,
    description: fields.Description,
    amount: fields.Amount,
    // A bare create answer has no amount a currency could belong to.
    currency: fields.Id === undefined ? undefined : currency,
    owner: asReference(fields.OwnerId),
    account: accountOf(fields),
    contact: contactsOf(fields),
    stage: stageOf(fields, facts),
    status: statusOf(fields, facts),
    custom_fields: customFieldsOf(fields, facts),
    last_activity_at: toMoment(fields.LastActivityDate),
    close_date: toMoment(fields.CloseDate),
    created_at: toMoment(fields.CreatedDate),
    updated_at: toMoment(fields.LastModifiedDate ?? fields.SystemModstamp),
    remote_data: record,
  });
}

/** Keys whose value is undefined left out: a field the user may not see is absent, not null. */
function withoutUndefined(opportunity: Opportunity): Opportunity {
  const given = Object.entries(opportunity).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), id: opportunity.id };
}

function organisationCurrency(facts: AccountFacts | undefined): string | undefined {
  return facts?.currency.mode === 'organisation' ? facts.currency.code : undefined;
}

function asReference(id: string | null | undefined): { id: string } | null | undefined {
  return typeof id === 'string' ? { id } : id;
}

function accountOf(fields: OpportunityRecord): Opportunity['account'] {
  const reference = asReference(fields.AccountId);
  const name = fields.Account?.Name;
  return reference && name !== undefined ? { ...reference, name } : reference;
}

/** From the contact roles, the primary one first; from `ContactId` where the roles could not be read. */
function contactsOf(fields: OpportunityRecord): Opportunity['contact'] {
  const roles = fields.OpportunityContactRoles?.records;
  if (roles === undefined) {
    const only = asReference(fields.ContactId);
    return only ? [only] : undefined;
  }
  const primaryFirst = roles.toSorted((a, b) => Number(b.IsPrimary ?? false) - Number(a.IsPrimary ?? false));
  const ids = primaryFirst.flatMap((role) => (role.ContactId ? [role.ContactId] : []));
  return [...new Set(ids)].map((id) => ({ id }));
}

function stageOf(fields: OpportunityRecord, facts: AccountFacts | undefined): Opportunity['stage'] {
  const id = fields.StageName;
  if (typeof id !== 'string') return id;
  return { id, name: facts?.stages.find((stage) => stage.id === id)?.name ?? id };
}

function statusOf(fields: OpportunityRecord, facts: AccountFacts | undefined): Opportunity['status'] {
  if (fields.IsWon === true) return 'won';
  if (typeof fields.IsClosed === 'boolean') return fields.IsClosed ? 'lost' : 'open';
  return facts?.stages.find((stage) => stage.id === fields.StageName)?.status;
}

function customFieldsOf(
  fields: OpportunityRecord,
  facts: AccountFacts | undefined,
): Opportunity['custom_fields'] {
  if (fields.Id === undefined) return undefined;
  const lists = new Set(facts?.customFields.filter(({ multiple }) => multiple).map(({ key }) => key));
  const custom = Object.entries(fields).filter(([key, value]) => /__c$/i.test(key) && value !== null);
  // A multi-select picklist is one text at Salesforce, "A;B": it is answered as it was asked for.
  const asAsked = ([key, value]: [string, unknown]) =>
    typeof value === 'string' && lists.has(key) ? [key, value.split(';')] : [key, value];
  return Object.fromEntries(custom.map(asAsked));
}

/** "2024-05-01T12:00:00.000+0000" (no colon in the offset) as "2024-05-01T12:00:00.000Z"; dates as they are. */
function toMoment(text: string | null | undefined): string | null | undefined {
  if (typeof text !== 'string' || !text.includes('T')) return text;
  const ms = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
}
