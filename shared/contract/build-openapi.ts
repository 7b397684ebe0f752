import { z } from 'zod';
import { reasonPhrase } from '../app-error.ts';
import { ERROR_CATALOGUE, type ErrorCode } from '../errors.ts';
import { ErrorView } from './error-view.ts';
import { createSchemas, type Json, type Schemas } from './openapi-schemas.ts';
import { errorsOf, type Operation, type ResponseSpec } from './operation.ts';
import { OPERATIONS } from './operations.ts';

const DESCRIPTION =
  "Writes CRM opportunities into your customers' Salesforce, Close and Capsule: never twice, never lost. A create is answered 202 once it is on disk; a worker writes it as fast as the provider allows.";

/** The OpenAPI 3.1 document of all operations, made from the very values the router works by. */
export function buildOpenApi(operations: readonly Operation[] = OPERATIONS): Json {
  const schemas = createSchemas();
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: toOpenApi(operation, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Dealwright',
      version: '0.1.0',
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: schemas.named(),
      headers: toHeaders(LIMIT_HEADERS),
    },
  };
}

/** As committed in `docs/openapi.json`. */
export function renderOpenApi(): string {
  return `${JSON.stringify(buildOpenApi(), null, 2)}\n`;
}

function toOpenApi(operation: Operation, schemas: Schemas): Json {
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description ? { description: operation.description } : {}),
    security: operation.scope === null ? [] : [{ bearer: [] }],
    ...(operation.scope === null ? {} : { 'x-required-scope': operation.scope }),
    parameters: [
      ...toParameters('path', operation.params, schemas),
      ...toParameters('query', operation.query, schemas),
      ...toParameters('header', operation.headers, schemas),
    ],
    ...(operation.body
      ? {
          requestBody: {
            required: !operation.bodyOptional,
            content: {
              'application/json': {
                schema: schemas.toJson(operation.body, 'input'),
                ...(operation.bodyExample === undefined ? {} : { example: operation.bodyExample }),
              },
            },
          },
        }
      : {}),
    ...(operation.uploads ? { requestBody: toUpload(operation.uploads, schemas) } : {}),
    responses: limited(operation, {
      ...toErrors(operation, schemas),
      ...toResponses(operation.responses, schemas),
    }),
  };
}

/** Said on any answer to a token with a limit of its own, and on answers about one account. */
const LIMIT_HEADERS = {
  'ratelimit-limit':
    "The limit of the account's provider, or of the token, with its window in seconds, as `110;w=10`; absent where there is none.",
  'ratelimit-remaining': 'Calls left in that window.',
  'ratelimit-reset': 'Seconds until it begins anew.',
};

function limited(operation: Operation, responses: Record<string, Json>): Json {
  if (operation.scope === null) return responses;
  const limits = Object.fromEntries(
    Object.keys(LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      { ...response, headers: { ...limits, ...(response.headers as Json) } },
    ]),
  );
}

function toHeaders(headers: Record<string, string>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );
}

function toUpload(uploads: NonNullable<Operation['uploads']>, schemas: Schemas): Json {
  const content = Object.entries(uploads).map(([type, { schema, example }]) => [
    type,
    { schema: schemas.toJson(schema, 'input'), ...(example === undefined ? {} : { example }) },
  ]);
  return { required: true, content: Object.fromEntries(content) };
}

function toParameters(
  place: 'path' | 'query' | 'header',
  schema: z.ZodType | undefined,
  schemas: Schemas,
): Json[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries<z.ZodType>(schema.shape).map(([name, field]) => {
    const { description, ...json } = schemas.toJson(field, 'input');
    const isList = json.type === 'array';
    return {
      name: shownName(place, name, isList),
      in: place,
      required: place === 'path' || !field.safeParse(undefined).success,
      ...(description === undefined ? {} : { description }),
      schema: json,
      ...(json.type === 'object' && place === 'query' ? { style: 'deepObject', explode: true } : {}),
      ...(isList && !name.startsWith('truto_') ? { style: 'form', explode: false } : {}),
    };
  });
}

/** Lists of Truto's own are sent with brackets; headers are read in lower case and written as people know them. */
function shownName(place: string, name: string, isList: boolean): string {
  if (place === 'header') return name.replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase());
  return place === 'query' && isList && name.startsWith('truto_') ? `${name}[]` : name;
}

function toResponses(responses: Record<number, ResponseSpec>, schemas: Schemas): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(responses).map(([status, spec]) => [status, toResponse(spec, schemas)]),
  );
}

function toResponse(
  { description, schema, example, headers, contentType, also }: ResponseSpec,
  schemas: Schemas,
): Json {
  return {
    description,
    headers: {
      ...toHeaders({ 'X-Request-Id': 'Id of the request.', ...headers }),
    },
    ...(schema
      ? {
          content: {
            [contentType ?? 'application/json']: {
              schema: schemas.toJson(schema, 'output'),
              ...(example === undefined ? {} : { example }),
            },
            ...Object.fromEntries(
              Object.entries(also ?? {}).map(([type, text]) => [
                type,
                { schema: { type: 'string' }, example: text },
              ]),
            ),
          },
        }
      : {}),
  };
}

function toErrors(operation: Operation, schemas: Schemas): Record<string, Json> {
  const all = errorsOf(operation);
  const byStatus = Map.groupBy(all, (code) => ERROR_CATALOGUE[code].statusCode);
  const specs = [...byStatus].map(([status, codes]): [number | string, ResponseSpec] => [
    status,
    {
      description: `${reasonPhrase(status)}: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
      schema: ErrorView,
      example: exampleOf(codes[0] ?? 'internal_error'),
      headers: {
        ...operation.errorHeaders,
        ...(mayPass(status, codes) ? { 'Retry-After': 'Seconds.' } : {}),
      },
    },
  ]);
  if (all.includes('provider_validation')) {
    const description =
      "The provider's own 4xx, where it is another one: one of the codes that begin with `provider_`.";
    specs.push(['4XX', { description, schema: ErrorView, headers: operation.errorHeaders }]);
  }
  return Object.fromEntries(specs.map(([status, spec]) => [status, toResponse(spec, schemas)]));
}

const mayPass = (status: number, codes: readonly ErrorCode[]) =>
  status === 429 || status === 503 || codes.includes('idempotency_key_in_progress');

function exampleOf(code: ErrorCode): ErrorView {
  const { statusCode, meaning, retryable } = ERROR_CATALOGUE[code];
  const request_id = '5f1c0a52-8d9e-4b0e-9f51-2c7d7f6f0f11';
  return { statusCode, error: reasonPhrase(statusCode), message: meaning, code, retryable, request_id };
}
