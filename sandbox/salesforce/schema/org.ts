import type { Switches } from '../switches.ts';
import { defineField, type Field, picklistValue } from './field.ts';
import type { ObjectOptions } from './object-options.ts';
import { stockObjects } from './objects.ts';

/** One object as the org has it now: switches applied, hidden columns left out. */
export type SObject = Omit<ObjectOptions, 'fields' | 'enabledBy'> & {
  fields: Field[];
  /** By lower-case name: names in URLs, bodies and SOQL are case-insensitive. */
  field(name: string): Field | undefined;
  /** The reference field behind a relationship name such as `Account` in `Account.Name`. */
  relationship(name: string): Field | undefined;
};

export type Org = {
  object(name: string): SObject | undefined;
  objects(): SObject[];
  /** The object whose ids begin with this key prefix. */
  objectOfId(id: string): SObject | undefined;
  /** An unrestricted picklist takes any value and keeps it, inactive. Source: Object Reference, Field Types. */
  learn(field: Field, value: string): void;
};

export const currencies = ['USD', 'EUR', 'GBP', 'CHF'] as const;

/** The org's metadata under the given switches. */
export function createOrg(switches: Switches): Org {
  const list = stockObjects()
    .filter(({ enabledBy }) => enabledBy === undefined || switches[enabledBy])
    .map((options) => toSObject(options, switches));
  const byName = new Map(list.map((object) => [object.name.toLowerCase(), object]));
  const byPrefix = new Map(list.map((object) => [object.keyPrefix, object]));
  return {
    object: (name) => byName.get(name.toLowerCase()),
    objects: () => list,
    objectOfId: (id) => byPrefix.get(id.slice(0, 3)),
    learn(field, value) {
      if (field.picklistValues.some((known) => known.value === value)) return;
      field.picklistValues.push(picklistValue(value, false));
    },
  };
}

function toSObject({ enabledBy: _, ...options }: ObjectOptions, switches: Switches): SObject {
  const fields = options.fields
    .concat(options.name === 'Opportunity' && switches.multi_currency ? [currencyField()] : [])
    .filter((field) => !isListed(switches.hidden_fields, options.name, field))
    .map((field) => underSwitches(options.name, field, switches));
  const byName = new Map(fields.map((field) => [field.name.toLowerCase(), field]));
  const byRelationship = new Map(
    fields.flatMap((field) =>
      field.relationshipName === null ? [] : [[field.relationshipName.toLowerCase(), field] as const],
    ),
  );
  return {
    ...options,
    fields,
    field: (name) => byName.get(name.toLowerCase()),
    relationship: (name) => byRelationship.get(name.toLowerCase()),
  };
}

function underSwitches(object: string, field: Field, switches: Switches): Field {
  if (isListed(switches.read_only_fields, object, field))
    return { ...field, createable: false, updateable: false };
  if (object !== 'Opportunity') return field;
  if (field.name === 'StageName') return { ...field, restrictedPicklist: switches.restricted_stage };
  // Set Audit Fields upon Record Creation. Source: Object Reference, System Fields.
  if (field.name === 'CreatedDate') return { ...field, createable: switches.audit_fields };
  return field;
}

/** Exists only in a multi-currency org. Source: Object Reference, Opportunity, CurrencyIsoCode. */
function currencyField(): Field {
  const field = defineField('CurrencyIsoCode', 'picklist', {
    label: 'Opportunity Currency',
    length: 3,
    defaultedOnCreate: true,
    restrictedPicklist: true,
    values: currencies,
  });
  field.picklistValues.push(picklistValue('JPY', false));
  return field;
}

function isListed(names: string[], object: string, field: Field): boolean {
  return names.some((name) => {
    const wanted = name.includes('.') ? name : `Opportunity.${name}`;
    return wanted.toLowerCase() === `${object}.${field.name}`.toLowerCase();
  });
}
