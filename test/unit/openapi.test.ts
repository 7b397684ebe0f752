import { describe, expect, it } from 'vitest';
import { buildOpenApi } from '../../shared/contract/build-openapi.ts';
import { CreateOptions } from '../../shared/contract/create-query.ts';
import { JOB_EXAMPLE } from '../../shared/contract/examples.ts';
import { OPERATIONS } from '../../shared/contract/operations.ts';

const document = buildOpenApi();

/** Every object in the document with the path that leads to it. */
function* walk(value: unknown, path: string[] = []): Generator<[string[], Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, child] of Object.entries(value)) yield* walk(child, [...path, key]);
}

describe('the OpenAPI document', () => {
  it('has every operation once, with at least one success and its errors', () => {
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
    for (const operation of OPERATIONS) {
      const statuses = Object.keys(operation.responses).map(Number);
      expect(
        statuses.some((status) => status < 300),
        operation.id,
      ).toBe(true);
    }
    // Each operation stands under its path and method.
    const paths = document.paths as Record<string, Record<string, { operationId: string }>>;
    for (const { id, path, method } of OPERATIONS) expect(paths[path]?.[method]?.operationId).toBe(id);
  });

  it('refers to nothing that is not there', () => {
    for (const [path, { $ref }] of walk(document)) {
      if (typeof $ref !== 'string') continue;
      const target = $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((here, key) => (here as Record<string, unknown>)?.[key], document);
      expect(target, `${path.join('/')} → ${$ref}`).toBeDefined();
    }
  });

  it('describes each placeholder of a path', () => {
    for (const operation of OPERATIONS) {
      const paths = document.paths as Record<
        string,
        Record<string, { parameters: { in: string; name: string }[] }>
      >;
      const described = paths[operation.path]?.[operation.method]?.parameters ?? [];
      const names = described.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect(names).toEqual([...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    }
  });

  it('says which headers an error of a create has, and when it can be tried again', () => {
    const paths = buildOpenApi().paths as Record<
      string,
      Record<string, { responses: Record<string, { headers: object }> }>
    >;
    const { responses } = paths['/unified/crm/opportunities']?.post ?? { responses: {} };
    for (const status of ['409', '422', '4XX', '502'])
      expect(responses[status]?.headers, status).toHaveProperty('X-Job-Id');
    for (const status of ['409', '429', '503'])
      expect(responses[status]?.headers, status).toHaveProperty('Retry-After');
    expect(responses['422']?.headers).not.toHaveProperty('Retry-After');
  });

  it('has examples that its own schemas accept', () => {
    for (const operation of OPERATIONS) {
      if (operation.body && operation.bodyExample !== undefined) {
        expect(operation.body.safeParse(operation.bodyExample).error?.issues, operation.id).toBeUndefined();
      }
      for (const { schema, example } of Object.values(operation.responses)) {
        if (!schema || example === undefined) continue;
        const { data, error } = schema.safeParse(example);
        expect(error?.issues, operation.id).toBeUndefined();
        // What the schema does not know it leaves out.
        expect(data, operation.id).toEqual(example);
      }
    }
    expect(CreateOptions.safeParse(JOB_EXAMPLE.request.query).error?.issues).toBeUndefined();
  });
});
