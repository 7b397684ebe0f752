import { RestFailure, type SalesforceError, toStatusErrors } from '../errors.ts';
import type { RestCall, RestReply } from '../rest.ts';
import type { SObject } from '../schema/org.ts';
import { bodyOf, requireMethod } from '../sobjects.ts';
import { isPlainObject } from '../write/parse.ts';
import { getObject, insertRecord } from '../write/write.ts';

// Source: REST API, sObject Tree, limits.
const recordsMax = 200;
const typesMax = 5;
const levelsMax = 5;

type Node = {
  object: SObject;
  referenceId: string;
  fields: Record<string, unknown>;
  /** The column that points at the parent. */
  parentField: string | undefined;
  children: Node[];
};

/** `POST /composite/tree/X`: nested records, inserted together or not at all. */
export function handleTree(call: RestCall): RestReply {
  requireMethod(call, ['POST']);
  const object = getObject(call.segments[2] ?? '', call.context);
  const seen = new Set<string>();
  const roots = parseNodes(call, object, bodyOf(call).records, undefined, 1, seen);
  const types = new Set<string>();
  walk(roots, (node) => types.add(node.object.name));
  if (types.size > typesMax) throw treeLimit(`Cannot exceed ${typesMax} sObject types`);
  if (seen.size > recordsMax) throw treeLimit(`Cannot exceed ${recordsMax} records`);
  return insertTree(call, roots);
}

function insertTree(call: RestCall, roots: Node[]): RestReply {
  const transaction = call.context.store.begin();
  const results: Record<string, unknown>[] = [];
  const failures: Record<string, unknown>[] = [];
  const insert = (node: Node, parentId: string | undefined): void => {
    const parent = node.parentField === undefined ? {} : { [node.parentField]: parentId };
    const result = insertRecord(node.object, { ...node.fields, ...parent }, call.context);
    if ('errors' in result) {
      failures.push({ referenceId: node.referenceId, errors: toStatusErrors(result.errors) });
      return;
    }
    results.push({ referenceId: node.referenceId, id: result.id });
    for (const child of node.children) insert(child, result.id);
  };
  for (const root of roots) insert(root, undefined);
  if (failures.length === 0) {
    transaction.commit();
    return { status: 201, body: { hasErrors: false, results } };
  }
  transaction.rollback();
  // Only the offenders are listed.
  return { status: 400, body: { hasErrors: true, results: failures } };
}

function parseNodes(
  call: RestCall,
  object: SObject,
  records: unknown,
  parentField: string | undefined,
  level: number,
  seen: Set<string>,
): Node[] {
  if (!Array.isArray(records) || records.length === 0) throw treeLimit('At least 1 record is required');
  if (level > levelsMax) throw treeLimit(`Cannot exceed ${levelsMax} levels`);
  return records.map((record: unknown) => {
    const { attributes, ...rest }: Record<string, unknown> = isPlainObject(record) ? record : {};
    const { type, referenceId }: Record<string, unknown> = isPlainObject(attributes) ? attributes : {};
    if (typeof referenceId !== 'string' || seen.has(referenceId)) {
      throw treeLimit('Each record needs a unique attributes.referenceId');
    }
    if (typeof type !== 'string' || type.toLowerCase() !== object.name.toLowerCase()) {
      throw treeLimit(`attributes.type of ${referenceId} must be ${object.name}`);
    }
    seen.add(referenceId);
    return { object, referenceId, parentField, ...splitChildren(call, object, rest, level, seen) };
  });
}

function splitChildren(
  call: RestCall,
  object: SObject,
  record: Record<string, unknown>,
  level: number,
  seen: Set<string>,
): Pick<Node, 'fields' | 'children'> {
  const fields: Record<string, unknown> = {};
  const children: Node[] = [];
  for (const [key, value] of Object.entries(record)) {
    const relationship = object.children?.[key];
    if (relationship === undefined || !isPlainObject(value)) {
      fields[key] = value;
      continue;
    }
    const childObject = getObject(relationship.object, call.context);
    children.push(...parseNodes(call, childObject, value.records, relationship.field, level + 1, seen));
  }
  return { fields, children };
}

function walk(nodes: Node[], visit: (node: Node) => void): void {
  for (const node of nodes) {
    visit(node);
    walk(node.children, visit);
  }
}

function treeLimit(message: string): RestFailure {
  const error: SalesforceError = { code: 'INVALID_INPUT', message };
  return new RestFailure(error);
}
