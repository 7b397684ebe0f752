import { auditStamps } from '../data/seed.ts';
import type { FieldValues, StoredRecord } from '../data/table.ts';
import { stageFor } from '../schema/stages.ts';
import type { WriteContext } from './context.ts';

/** Columns that follow from others at create. Source: Object Reference, Opportunity. */
export function opportunityDefaults(values: FieldValues, userId: string): FieldValues {
  return {
    IsDeleted: false,
    IsPrivate: false,
    HasOpportunityLineItem: false,
    HasOpenActivity: false,
    HasOverdueTask: false,
    Renewal__c: false,
    ...values,
    OwnerId: values.OwnerId ?? userId,
    ...derivedColumns(values, {}),
  };
}

/** What a change of stage, date, amount or odds entails. */
export function derivedColumns(changes: FieldValues, before: FieldValues): FieldValues {
  const merged = { ...before, ...changes };
  const derived: FieldValues = {};
  const stageChanges = changes.StageName !== undefined && changes.StageName !== before.StageName;
  if (stageChanges) {
    const stage = stageFor(String(changes.StageName));
    derived.IsClosed = stage.isClosed;
    derived.IsWon = stage.isWon;
    derived.Probability = changes.Probability ?? stage.probability;
    derived.ForecastCategoryName = changes.ForecastCategoryName ?? stage.forecastCategory;
  }
  if (stageChanges || changes.ForecastCategoryName !== undefined) {
    const category = derived.ForecastCategoryName ?? changes.ForecastCategoryName ?? null;
    derived.ForecastCategory = category === null ? null : String(category).replaceAll(' ', '');
  }
  const amount = merged.Amount ?? null;
  const odds = derived.Probability ?? merged.Probability ?? null;
  derived.ExpectedRevenue =
    typeof amount === 'number' && typeof odds === 'number' ? Math.round(amount * odds) / 100 : null;
  if (typeof changes.CloseDate === 'string') Object.assign(derived, fiscalColumns(changes.CloseDate));
  return derived;
}

function fiscalColumns(closeDate: string): FieldValues {
  const year = Number(closeDate.slice(0, 4));
  const quarter = Math.ceil(Number(closeDate.slice(5, 7)) / 3);
  return { FiscalYear: year, FiscalQuarter: quarter, Fiscal: `${year} ${quarter}` };
}

/** `ContactId` at create makes the primary role in the same transaction. Source: Object Reference, ContactId. */
export function createPrimaryRole(opportunity: StoredRecord, context: WriteContext): void {
  const contactId = opportunity.values.ContactId ?? null;
  if (contactId === null) return;
  context.store.create(
    'OpportunityContactRole',
    {
      OpportunityId: opportunity.id,
      ContactId: contactId,
      Role: null,
      IsPrimary: true,
      IsDeleted: false,
      ...auditStamps(context.nowMs(), context.userId),
    },
    { byCall: context.callNumber, lastCall: context.lastCallNumber() },
  );
}

/** One primary role per opportunity: a new one takes over, and the opportunity's ContactId follows. */
export function settlePrimaryRole(role: StoredRecord, { store }: WriteContext): void {
  const opportunityId = String(role.values.OpportunityId);
  const opportunities = store.table('Opportunity');
  const opportunity = opportunities.get(opportunityId);
  if (opportunity === undefined || role.values.IsPrimary !== true) return;
  const roles = store.table('OpportunityContactRole');
  for (const other of roles.findBy('OpportunityId', opportunityId) ?? []) {
    if (other !== role && other.values.IsPrimary === true) roles.update(other, { IsPrimary: false });
  }
  opportunities.update(opportunity, { ContactId: role.values.ContactId ?? null });
}

/** A deleted opportunity takes its roles along; a deleted primary role leaves no contact behind. */
export function cascadeDelete(object: string, record: StoredRecord, { store }: WriteContext): void {
  const roles = store.table('OpportunityContactRole');
  if (object === 'Opportunity') {
    for (const role of roles.findBy('OpportunityId', record.id) ?? []) roles.remove(role);
  }
  if (object === 'OpportunityContactRole' && record.values.IsPrimary === true) {
    const opportunity = store.table('Opportunity').get(String(record.values.OpportunityId));
    if (opportunity !== undefined) store.table('Opportunity').update(opportunity, { ContactId: null });
  }
}
