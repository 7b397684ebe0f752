import type { AccountFacts, CustomFieldFact } from '../domain/integrated-account.ts';
import type { UnifiedField } from '../domain/opportunity.ts';

export type JsonSchema = Record<string, unknown>;

/** Longer lists are given as `allowed_values` only: a schema of thousands of ids helps nobody. */
const ENUM_MAX = 200;

/** The schema of one field with what this account allows; unchanged without live values. Pure. */
export function narrowSchema(
  name: UnifiedField,
  schema: JsonSchema,
  facts: AccountFacts | undefined,
): JsonSchema {
  if (!facts) return schema;
  switch (name) {
    case 'stage':
      return narrowStage(schema, facts);
    case 'owner':
      return withProperties(schema, { id: listed(facts.owners.filter(isActive).map(({ id }) => id)) });
    case 'currency':
      return { ...schema, ...listed(currencies(facts)) };
    case 'custom_fields': {
      const known = facts.customFields.filter(({ creatable }) => creatable);
      return {
        ...schema,
        properties: Object.fromEntries(known.map((field) => [field.key, toSchema(field)])),
      };
    }
    default:
      return schema;
  }
}

/** What the account allows for a field, for people to choose from; null where anything goes. Pure. */
export function allowedValues(name: UnifiedField, facts: AccountFacts): unknown[] | null {
  switch (name) {
    case 'stage':
      return facts.stages.filter(isActive).map(({ active: _, ...stage }) => stage);
    case 'owner':
      return facts.owners.filter(isActive).map(({ active: _, ...owner }) => owner);
    case 'currency':
      return currencies(facts);
    case 'custom_fields':
      return facts.customFields.filter(({ creatable }) => creatable);
    default:
      return null;
  }
}

function narrowStage(schema: JsonSchema, facts: AccountFacts): JsonSchema {
  const stages = facts.stages.filter(isActive);
  // Where the provider takes any text for a stage, its list is only a suggestion.
  const asWhat = facts.features.restrictedStage === false ? 'examples' : 'enum';
  return withProperties(schema, {
    id: listed([...new Set(stages.map(({ id }) => id))], asWhat),
    name: listed([...new Set(stages.map(({ name }) => name))], asWhat),
  });
}

function currencies({ currency }: AccountFacts): string[] {
  return currency.allowed ?? (currency.code === undefined ? [] : [currency.code]);
}

const isActive = ({ active }: { active: boolean }) => active;

function listed(values: string[], asWhat: 'enum' | 'examples' = 'enum'): JsonSchema {
  return values.length > 0 && values.length <= ENUM_MAX ? { [asWhat]: values } : {};
}

function withProperties(schema: JsonSchema, more: Record<string, JsonSchema>): JsonSchema {
  // The properties of an object's JSON Schema are JSON Schemas by name.
  const properties = { ...(schema.properties as Record<string, JsonSchema> | undefined) };
  for (const [key, addition] of Object.entries(more)) properties[key] = { ...properties[key], ...addition };
  return { ...schema, properties };
}

function toSchema(field: CustomFieldFact): JsonSchema {
  const options = field.options && field.options.length > 0 ? listed(field.options) : {};
  const value = field.multiple ? { items: options } : options;
  return {
    title: field.label,
    description: `Type ${field.type}${field.multiple ? ', several values' : ''}.`,
    ...value,
    ...(field.maxLength === undefined ? {} : { maxLength: field.maxLength }),
  };
}
