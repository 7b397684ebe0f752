import { auditFields, defineField, defineReference, type Field, idField, readOnly } from './field.ts';
import { forecastCategories, stages } from './stages.ts';

const derived = { ...readOnly, defaultedOnCreate: true, nillable: false } as const;

/**
 * The columns of Opportunity in the order a stock org lists them, then the demo org's own.
 * Source: Object Reference, Opportunity.
 */
export function opportunityFields(): Field[] {
  return [
    idField(),
    defineField('IsDeleted', 'boolean', readOnly),
    defineReference('AccountId', 'Account'),
    defineField('IsPrivate', 'boolean', { label: 'Private' }),
    // Name is an idLookup: an upsert by Name is legal, which is a trap of the real API.
    defineField('Name', 'string', { length: 120, nillable: false, idLookup: true }),
    // Long text areas cannot be filtered. Source: Object Reference, Opportunity, Description.
    defineField('Description', 'textarea', { filterable: false }),
    defineField('StageName', 'picklist', {
      label: 'Stage',
      nillable: false,
      values: stages.map((stage) => stage.name),
    }),
    defineField('Amount', 'currency', { precision: 18, scale: 2 }),
    defineField('Probability', 'percent', {
      label: 'Probability (%)',
      precision: 3,
      defaultedOnCreate: true,
    }),
    defineField('ExpectedRevenue', 'currency', {
      ...readOnly,
      label: 'Expected Amount',
      precision: 18,
      scale: 2,
    }),
    defineField('TotalOpportunityQuantity', 'double', { label: 'Quantity', precision: 18, scale: 2 }),
    defineField('CloseDate', 'date', { nillable: false }),
    defineField('Type', 'picklist', {
      label: 'Opportunity Type',
      values: ['Existing Customer - Upgrade', 'Existing Customer - Replacement', 'New Customer'],
    }),
    defineField('NextStep', 'string'),
    defineField('LeadSource', 'picklist', {
      values: ['Web', 'Phone Inquiry', 'Partner Referral', 'Purchased List', 'Other'],
    }),
    defineField('IsClosed', 'boolean', { ...derived, label: 'Closed' }),
    defineField('IsWon', 'boolean', { ...derived, label: 'Won' }),
    defineField('ForecastCategory', 'picklist', { ...derived, length: 40, values: forecastCategories }),
    defineField('ForecastCategoryName', 'picklist', {
      label: 'Forecast Category',
      defaultedOnCreate: true,
      restrictedPicklist: true,
      values: forecastCategories,
    }),
    defineReference('CampaignId', 'Campaign'),
    defineField('HasOpportunityLineItem', 'boolean', { ...derived, label: 'Has Line Item' }),
    defineReference('Pricebook2Id', 'Pricebook2', { label: 'Price Book ID' }),
    defineReference('OwnerId', 'User', { nillable: false, defaultedOnCreate: true }),
    ...auditFields(),
    defineField('LastActivityDate', 'date', { ...readOnly, label: 'Last Activity' }),
    defineField('LastStageChangeDate', 'datetime', readOnly),
    defineField('FiscalQuarter', 'int', readOnly),
    defineField('FiscalYear', 'int', readOnly),
    defineField('Fiscal', 'string', { ...readOnly, label: 'Fiscal Period', length: 6 }),
    // Create-only since v46: makes the primary contact role. Source: Object Reference, Opportunity, ContactId.
    defineReference('ContactId', 'Contact', { updateable: false }),
    defineField('LastViewedDate', 'datetime', readOnly),
    defineField('LastReferencedDate', 'datetime', readOnly),
    defineField('HasOpenActivity', 'boolean', derived),
    defineField('HasOverdueTask', 'boolean', derived),
    defineReference('LastAmountChangedHistoryId', 'OpportunityHistory', {
      ...readOnly,
      relationshipName: null,
    }),
    defineReference('LastCloseDateChangedHistoryId', 'OpportunityHistory', {
      ...readOnly,
      relationshipName: null,
    }),
    ...customFields(),
  ];
}

function customFields(): Field[] {
  return [
    defineField('Dealwright_Id__c', 'string', {
      label: 'Dealwright Id',
      length: 64,
      externalId: true,
      unique: true,
      idLookup: true,
    }),
    defineField('Legacy_Id__c', 'string', { length: 80, externalId: true, idLookup: true }),
    defineField('Dealwright_Ref__c', 'string', { label: 'Dealwright Ref', length: 120 }),
    defineField('Region__c', 'string', { length: 80 }),
    defineField('Score__c', 'double', { precision: 10, scale: 2 }),
    defineField('Renewal__c', 'boolean'),
    defineField('Segments__c', 'multipicklist', {
      values: ['Enterprise', 'Mid-Market', 'SMB', 'Public Sector'],
    }),
    defineField('Kickoff__c', 'datetime'),
    defineField('Tier__c', 'picklist', { restrictedPicklist: true, values: ['Gold', 'Silver', 'Bronze'] }),
    defineField('Effective__c', 'date'),
  ];
}
