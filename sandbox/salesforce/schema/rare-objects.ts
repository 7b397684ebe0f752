import { auditFields, defineField, defineReference, idField } from './field.ts';
import type { ObjectOptions } from './object-options.ts';

/** Objects that most calls never name; some are in the org only by a switch. */
export function rareObjects(): ObjectOptions[] {
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
