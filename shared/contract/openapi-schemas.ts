import { z } from 'zod';

export type Json = Record<string, unknown>;

export type Schemas = ReturnType<typeof createSchemas>;

/** JSON Schemas; one with an id (`meta({ id })`) is defined once and referred to. */
export function createSchemas() {
  const named: Record<string, Json> = {};

  function toJson(schema: z.ZodType, io: 'input' | 'output'): Json {
    const {
      $schema: _dialect,
      $defs,
      ...json
    } = z.toJSONSchema(schema, {
      io,
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => replaceByMeta(zodSchema, jsonSchema),
    }) as Json;
    return hoist(json, $defs, io);
  }

  /** Moves definitions to the components; a schema may look different as input and as output. */
  function hoist(json: Json, defs: unknown, io: 'input' | 'output'): Json {
    const nameOf = (id: string) => (id.startsWith('__schema') ? `${id}${io}` : id);
    const refer = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(refer);
      if (typeof value !== 'object' || value === null) return value;
      const entries = Object.entries(value).map(([key, child]) => {
        const isRef = key === '$ref' && typeof child === 'string' && child.startsWith('#/$defs/');
        return [key, isRef ? `#/components/schemas/${nameOf(child.slice('#/$defs/'.length))}` : refer(child)];
      });
      return Object.fromEntries(entries);
    };
    // toJSONSchema puts a map of definitions there, or nothing.
    for (const [id, def] of Object.entries((defs ?? {}) as Record<string, Json>))
      named[nameOf(id)] = refer(strip(def)) as Json;
    const own = refer(json) as Json;
    if (typeof own.id !== 'string') return own;
    named[own.id] = strip(own);
    return { $ref: `#/components/schemas/${own.id}` };
  }

  return {
    toJson,
    named: () => Object.fromEntries(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function strip({ id: _id, ...json }: Json): Json {
  return json;
}

/** `meta.openapi` replaces what zod would say of a schema that reads text, as query parameters do. */
function replaceByMeta(zodSchema: z.core.$ZodTypes, jsonSchema: z.core.JSONSchema.BaseSchema): void {
  const meta = z.globalRegistry.get(zodSchema) as { openapi?: Json; description?: string } | undefined;
  if (!meta?.openapi) return;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  Object.assign(
    jsonSchema,
    meta.openapi,
    meta.description === undefined ? {} : { description: meta.description },
  );
}
