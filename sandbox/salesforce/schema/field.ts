export type FieldType =
  | 'id'
  | 'string'
  | 'textarea'
  | 'picklist'
  | 'multipicklist'
  | 'reference'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'currency'
  | 'percent'
  | 'double'
  | 'int'
  | 'email';

export type PicklistValue = {
  value: string;
  label: string;
  active: boolean;
  defaultValue: boolean;
};

/** One column of an object, in the words of a describe. Source: SOAP API, DescribeSObjectResult, Field. */
export type Field = {
  name: string;
  label: string;
  type: FieldType;
  length: number;
  precision: number;
  scale: number;
  nillable: boolean;
  createable: boolean;
  updateable: boolean;
  defaultedOnCreate: boolean;
  restrictedPicklist: boolean;
  externalId: boolean;
  unique: boolean;
  caseSensitive: boolean;
  idLookup: boolean;
  filterable: boolean;
  picklistValues: PicklistValue[];
  referenceTo: string[];
  relationshipName: string | null;
};

export type FieldOptions = Partial<Omit<Field, 'name' | 'type' | 'picklistValues'>> & {
  values?: readonly string[];
};

/** A nillable, writable field unless the options say otherwise. */
export function defineField(name: string, type: FieldType, options: FieldOptions = {}): Field {
  const { values, ...stated } = options;
  return {
    name,
    label: labelOf(name),
    type,
    length: defaultLength(type),
    precision: 0,
    scale: 0,
    nillable: type !== 'boolean',
    createable: true,
    updateable: true,
    defaultedOnCreate: type === 'boolean',
    restrictedPicklist: false,
    externalId: false,
    unique: false,
    caseSensitive: false,
    idLookup: false,
    filterable: true,
    picklistValues: (values ?? []).map((value) => picklistValue(value)),
    referenceTo: [],
    relationshipName: null,
    ...stated,
  };
}

export function picklistValue(value: string, active = true): PicklistValue {
  return { value, label: value, active, defaultValue: false };
}

/** Set by Salesforce alone. */
export const readOnly = { createable: false, updateable: false } as const;

export function defineReference(name: string, to: string, options: FieldOptions = {}): Field {
  return defineField(name, 'reference', {
    label: labelOf(name),
    referenceTo: [to],
    relationshipName: name.endsWith('Id') ? name.slice(0, -2) : null,
    ...options,
  });
}

export function idField(): Field {
  return defineField('Id', 'id', {
    ...readOnly,
    nillable: false,
    defaultedOnCreate: true,
    idLookup: true,
    label: 'Record ID',
  });
}

/** The columns that every object ends with. */
export function auditFields(): Field[] {
  const stamped = { ...readOnly, nillable: false, defaultedOnCreate: true } as const;
  return [
    defineField('CreatedDate', 'datetime', stamped),
    defineReference('CreatedById', 'User', { ...stamped, relationshipName: 'CreatedBy' }),
    defineField('LastModifiedDate', 'datetime', stamped),
    defineReference('LastModifiedById', 'User', { ...stamped, relationshipName: 'LastModifiedBy' }),
    defineField('SystemModstamp', 'datetime', stamped),
  ];
}

function defaultLength(type: FieldType): number {
  if (type === 'id' || type === 'reference') return 18;
  if (type === 'string' || type === 'picklist') return 255;
  if (type === 'textarea') return 32_000;
  if (type === 'multipicklist') return 4_099;
  return type === 'email' ? 80 : 0;
}

/** "CloseDate" → "Close Date", "AccountId" → "Account ID", "Tier__c" → "Tier". */
function labelOf(name: string): string {
  return name
    .replace(/__c$/, '')
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/\bId$/, 'ID');
}
