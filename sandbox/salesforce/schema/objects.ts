import { auditFields, defineField, defineReference, type Field, idField, readOnly } from './field.ts';
import { opportunityFields } from './opportunity.ts';

export type ObjectOptions = {
  name: string;
  label: string;
  labelPlural: string;
  keyPrefix: string;
  fields: Field[];
  /** Child subqueries by relationship name. */
  children?: Record<string, { object: string; field: string }>;
  createable?: boolean;
  /** False for objects whose records only change by being replaced. */
  updateable?: boolean;
  /** The switch that brings the object into the org; absent: always there. */
  enabledBy?: 'topics' | 'classic_tags' | 'multi_currency';
};

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
    ...rare(),
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

function rare(): ObjectOptions[] {
  return [
    {
      name: 'Organization',
      label: 'Organization',
      labelPlural: 'Organizations',
      keyPrefix: '00D',
      createable: false,
      fields: [
        idField(),
        defineField('Name', 'string', { length: 80 }),
        defineField('OrganizationType', 'picklist', { length: 40 }),
        defineField('IsSandbox', 'boolean'),
        defineField('InstanceName', 'string', { length: 5 }),
        defineField('DefaultLocaleSidKey', 'picklist', { length: 40 }),
        ...auditFields(),
      ],
    },
    {
      name: 'CurrencyType',
      label: 'Currency Type',
      labelPlural: 'Currency Types',
      keyPrefix: '01L',
      createable: false,
      enabledBy: 'multi_currency',
      fields: [
        idField(),
        defineField('IsoCode', 'picklist', { length: 3 }),
        defineField('ConversionRate', 'double', { precision: 18, scale: 6 }),
        defineField('DecimalPlaces', 'int'),
        defineField('IsActive', 'boolean'),
        defineField('IsCorporate', 'boolean'),
        ...auditFields(),
      ],
    },
    {
      name: 'Topic',
      label: 'Topic',
      labelPlural: 'Topics',
      keyPrefix: '0TO',
      enabledBy: 'topics',
      fields: [
        idField(),
        defineField('Name', 'string', { length: 99, nillable: false, idLookup: true, unique: true }),
        defineField('Description', 'textarea', { length: 300, filterable: false }),
        ...auditFields(),
      ],
    },
    {
      name: 'TopicAssignment',
      label: 'Topic Assignment',
      labelPlural: 'Topic Assignments',
      keyPrefix: '0T8',
      enabledBy: 'topics',
      updateable: false,
      fields: [
        idField(),
        defineReference('TopicId', 'Topic', { nillable: false, updateable: false }),
        defineReference('EntityId', 'Opportunity', { nillable: false, updateable: false }),
        ...auditFields(),
      ],
    },
    {
      name: 'OpportunityTag',
      label: 'Opportunity Tag',
      labelPlural: 'Opportunity Tags',
      keyPrefix: '0C0',
      enabledBy: 'classic_tags',
      updateable: false,
      fields: [
        idField(),
        defineReference('ItemId', 'Opportunity', { nillable: false, updateable: false }),
        defineField('Name', 'string', { nillable: false, updateable: false }),
        defineField('Type', 'picklist', {
          restrictedPicklist: true,
          nillable: false,
          values: ['Public', 'Personal'],
        }),
        ...auditFields(),
      ],
    },
  ];
}
