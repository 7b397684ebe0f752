import { z } from 'zod';
import { CreateQuery } from '../contract/create-query.ts';
import type { AccountFacts, AccountSettings } from '../domain/integrated-account.ts';
import { OpportunityInput, UNIFIED_FIELDS, type UnifiedField } from '../domain/opportunity.ts';
import type { ProviderDescriptor } from '../providers/port.ts';
import { allowedValues, type JsonSchema, narrowSchema } from './narrow-schema.ts';

/** One field of the unified model as one provider (or one account) takes it. */
export type FieldDescription = {
  name: UnifiedField;
  type: string;
  support: 'required' | 'supported' | 'unsupported';
  required: boolean;
  /** Keys of `remote_data` any of which gives it too. */
  or_remote_data: string[];
  description: string | null;
  note: string | null;
  /** Bounds, in the words of JSON Schema. */
  limits: JsonSchema;
  allowed_values: unknown[] | null;
  default: unknown;
};

export type CreateDescription = {
  fields: FieldDescription[];
  request_body_schema: JsonSchema;
  query_schema: JsonSchema;
  default_query: Record<string, unknown>;
  default_body: Record<string, unknown>;
  documentation_link: string;
};

const LIMITS = [
  'minLength',
  'maxLength',
  'minimum',
  'exclusiveMaximum',
  'maxItems',
  'pattern',
  'format',
] as const;

/** Everything a caller must know to create an opportunity with this provider, or with this very account. Pure. */
export function describeCreate(
  descriptor: ProviderDescriptor,
  account?: { settings: AccountSettings; facts: AccountFacts },
): CreateDescription {
  const defaults: Record<string, unknown> = account?.settings.defaults ?? {};
  const body = toSchema(OpportunityInput);
  const properties = propertiesOf(body);
  const required = requiredFields(descriptor, defaults);
  const without = account ? (descriptor.unsupportedIn?.(account.settings, account.facts) ?? []) : [];
  const fields = UNIFIED_FIELDS.map((name): FieldDescription => {
    const support = without.includes(name) ? 'unsupported' : descriptor.support[name];
    const own = { ...properties[name], ...descriptor.bounds?.[name] };
    const schema = narrowSchema(name, own, account?.facts);
    properties[name] = support === 'unsupported' ? { ...schema, deprecated: true } : schema;
    return {
      name,
      type: String(schema.type ?? 'any'),
      support,
      required: required.includes(name),
      or_remote_data: descriptor.required.filter(({ field }) => field === name).flatMap((r) => r.remoteKeys),
      description: typeof schema.description === 'string' ? schema.description : null,
      note: descriptor.notes[name] ?? null,
      limits: Object.fromEntries(LIMITS.flatMap((key) => (key in schema ? [[key, schema[key]]] : []))),
      allowed_values: account ? allowedValues(name, account.facts) : null,
      default: defaults[name] ?? null,
    };
  });
  return {
    fields,
    request_body_schema: { ...body, title: `Opportunity in ${descriptor.label}`, properties, required },
    query_schema: toSchema(CreateQuery),
    default_query: {
      truto_response_format: 'unified',
      on_unsupported: account?.settings.on_unsupported ?? 'warn',
    },
    default_body: defaults,
    documentation_link: descriptor.docsUrl,
  };
}

/** What the caller has to send: what the provider needs, less what the account's defaults give. */
function requiredFields(descriptor: ProviderDescriptor, defaults: Record<string, unknown>): UnifiedField[] {
  const needed = new Set(descriptor.required.map(({ field }) => field));
  for (const name of UNIFIED_FIELDS) if (descriptor.support[name] === 'required') needed.add(name);
  return UNIFIED_FIELDS.filter((name) => needed.has(name) && defaults[name] === undefined);
}

/** JSON Schema of a zod schema, without the wrapper its name brings. `meta.openapi` replaces what has no such schema. */
function toSchema(schema: z.ZodType): JsonSchema {
  const made: JsonSchema = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      const meta = z.globalRegistry.get(zodSchema);
      if (!meta?.openapi) return;
      for (const key of Object.keys(jsonSchema)) if (key !== 'description') delete jsonSchema[key];
      Object.assign(jsonSchema, meta.openapi);
    },
  });
  const definitions = made.$defs;
  if (typeof made.$ref !== 'string' || typeof definitions !== 'object' || definitions === null) return made;
  const name = made.$ref.slice('#/$defs/'.length);
  // The definitions of a JSON Schema are JSON Schemas by name.
  const definition = (definitions as Record<string, JsonSchema>)[name];
  return { $schema: made.$schema, ...definition };
}

function propertiesOf(schema: JsonSchema): Record<string, JsonSchema> {
  // The properties of an object's JSON Schema are JSON Schemas by name.
  return { ...(schema.properties as Record<string, JsonSchema>) };
}
