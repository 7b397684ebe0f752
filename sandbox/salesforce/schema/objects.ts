import { auditFields, defineField, defineReference, type Field, idField, readOnly } from './field.ts';
import type { ObjectOptions } from './object-options.ts';
import { opportunityFields } from './opportunity.ts';
import { rareObjects } from './rare-objects.ts';

/** A field that other systems use to point at a record without knowing its id. */
function externalKey(): Field {
  return defineField('External_Key__c', 'string', {
    length: 80,
    externalId: true,
    unique: true,
    idLookup: true,
  });
}

export function stockObjects(): ObjectOptions[] {
  return [
    opportunity(),
    opportunityContactRole(),
    opportunityStage(),
    account(),
    contact(),
    user(),
    ...rareObjects(),
  ];
}

function opportunity(): ObjectOptions {
  return {
    name: 'Opportunity',
    label: 'Opportunity',
    labelPlural: 'Opportunities',
    keyPrefix: '006',
    fields: opportunityFields(),
    children: { OpportunityContactRoles: { object: 'OpportunityContactRole', field: 'OpportunityId' } },
  };
}

/** Two roles for the same pair are allowed. Source: Object Reference, OpportunityContactRole. */
function opportunityContactRole(): ObjectOptions {
  return {
    name: 'OpportunityContactRole',
    label: 'Opportunity Contact Role',
    labelPlural: 'Opportunity Contact Roles',
    keyPrefix: '00K',
    fields: [
      idField(),
      defineReference('OpportunityId', 'Opportunity', { nillable: false, updateable: false }),
      defineReference('ContactId', 'Contact', { nillable: false }),
      defineField('Role', 'picklist', {
        length: 40,
        values: [
          'Business User',
          'Decision Maker',
          'Economic Buyer',
          'Economic Decision Maker',
          'Evaluator',
          'Executive Sponsor',
          'Influencer',
          'Technical Buyer',
          'Other',
        ],
      }),
      defineField('IsPrimary', 'boolean', { label: 'Primary' }),
      ...auditFields(),
      defineField('IsDeleted', 'boolean', readOnly),
    ],
  };
}

function opportunityStage(): ObjectOptions {
  return {
    name: 'OpportunityStage',
    label: 'Opportunity Stage',
    labelPlural: 'Opportunity Stages',
    keyPrefix: '01J',
    createable: false,
    fields: [
      idField(),
      defineField('MasterLabel', 'string'),
      defineField('ApiName', 'string'),
      defineField('IsActive', 'boolean'),
      defineField('SortOrder', 'int'),
      defineField('IsClosed', 'boolean'),
      defineField('IsWon', 'boolean'),
      defineField('ForecastCategory', 'picklist'),
      defineField('ForecastCategoryName', 'picklist'),
      defineField('DefaultProbability', 'percent', { precision: 3 }),
      defineField('Description', 'string'),
      ...auditFields(),
    ],
  };
}

function account(): ObjectOptions {
  return {
    name: 'Account',
    label: 'Account',
    labelPlural: 'Accounts',
    keyPrefix: '001',
    fields: [
      idField(),
      defineField('IsDeleted', 'boolean', readOnly),
      defineField('Name', 'string', { label: 'Account Name', nillable: false, idLookup: false }),
      defineField('Industry', 'string', { length: 40 }),
      defineReference('OwnerId', 'User', { nillable: false, defaultedOnCreate: true }),
      ...auditFields(),
      externalKey(),
    ],
    children: {
      Opportunities: { object: 'Opportunity', field: 'AccountId' },
      Contacts: { object: 'Contact', field: 'AccountId' },
    },
  };
}

function contact(): ObjectOptions {
  return {
    name: 'Contact',
    label: 'Contact',
    labelPlural: 'Contacts',
    keyPrefix: '003',
    fields: [
      idField(),
      defineField('IsDeleted', 'boolean', readOnly),
      defineReference('AccountId', 'Account'),
      defineField('LastName', 'string', { length: 80, nillable: false }),
      defineField('FirstName', 'string', { length: 40 }),
      defineField('Name', 'string', { ...readOnly, label: 'Full Name', length: 121 }),
      defineField('Email', 'email', { idLookup: true }),
      defineReference('OwnerId', 'User', { nillable: false, defaultedOnCreate: true }),
      ...auditFields(),
      externalKey(),
    ],
  };
}

function user(): ObjectOptions {
  return {
    name: 'User',
    label: 'User',
    labelPlural: 'Users',
    keyPrefix: '005',
    createable: false,
    fields: [
      idField(),
      defineField('Username', 'string', { length: 80, idLookup: true }),
      defineField('LastName', 'string', { length: 80 }),
      defineField('FirstName', 'string', { length: 40 }),
      defineField('Name', 'string', { length: 121 }),
      defineField('Email', 'email'),
      defineField('IsActive', 'boolean', { label: 'Active' }),
      defineField('UserType', 'picklist'),
      ...auditFields(),
    ],
  };
}
