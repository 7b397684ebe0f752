import { type FieldValue, fold, type StoredRecord } from '../data/table.ts';
import { RestFailure } from '../errors.ts';
import { attributes, toWire } from '../read/represent.ts';
import type { SObject } from '../schema/org.ts';
import type { OrgState } from '../write/context.ts';
import { compileCondition, type Predicate } from './filter.ts';
import { type Condition, parseQuery, type Query } from './parse.ts';
import { type Column, resolveObject, resolvePath } from './resolve.ts';
import { pointAt } from './tokens.ts';

export type QueryOptions = {
  /** `queryAll`: the Recycle Bin as well. */
  includeDeleted: boolean;
  version: string;
};

export type QueryResult = {
  totalSize: number;
  /** Makes the row for one record; rows are made page by page. */
  render: (record: StoredRecord) => Record<string, unknown>;
  records: StoredRecord[];
};

/** Runs a query against the store. Source: REST API, Query; SOQL and SOSL Reference. */
export function runQuery(text: string, state: OrgState, options: QueryOptions): QueryResult {
  const query = parseQuery(text);
  const object = resolveObject(query.from, query.fromAt, text, state);
  const render = compileRow(query, object, state, options);
  const records = select(query, object, state, options.includeDeleted);
  if (query.isCount) return { totalSize: records.length, records: [], render };
  return { totalSize: records.length, records, render };
}

/** The single column of a semi-join's inner query. */
function columnOfSubquery(query: Query, state: OrgState): FieldValue[] {
  const object = resolveObject(query.from, query.fromAt, query.text, state);
  const [path] = query.fields;
  if (path === undefined)
    throw new RestFailure({ code: 'MALFORMED_QUERY', message: 'a semi join needs one column' });
  const column = resolvePath(path, object, query.text, state);
  return select(query, object, state, false).map((record) => column.value(record));
}

function select(query: Query, object: SObject, state: OrgState, includeDeleted: boolean): StoredRecord[] {
  const table = state.store.table(object.name);
  const matches: Predicate =
    query.where === undefined
      ? () => true
      : compileCondition(query.where, {
          object,
          text: query.text,
          state,
          readColumn: (subquery) => columnOfSubquery(subquery, state),
        });
  const order = query.orderBy.map((item) => ({
    ...item,
    column: resolvePath(item.path, object, query.text, state),
  }));
  const candidates = (includeDeleted ? undefined : indexed(query.where, object, state)) ?? table.all();
  const found: StoredRecord[] = [];
  const enough = order.length === 0 && query.limit !== undefined ? query.limit + query.offset : Infinity;
  for (const record of candidates) {
    if (found.length >= enough) break;
    if ((includeDeleted || !record.deleted) && matches(record)) found.push(record);
  }
  if (order.length > 0) found.sort((left, right) => compareBy(order, left, right));
  return found.slice(query.offset, query.limit === undefined ? undefined : query.offset + query.limit);
}

/** Candidates by an indexed equality that every match must meet; undefined: look at all. */
function indexed(
  where: Condition | undefined,
  object: SObject,
  { store }: OrgState,
): StoredRecord[] | undefined {
  if (where === undefined) return undefined;
  const conditions = where.kind === 'and' ? where.parts : [where];
  let best: StoredRecord[] | undefined;
  for (const condition of conditions) {
    if (condition.kind !== 'compare' || condition.path.names.length !== 1 || condition.subquery) continue;
    if (condition.operator !== '=' && condition.operator !== 'IN') continue;
    if (condition.values.some((literal) => literal.kind !== 'string' || String(literal.value).length === 15))
      continue;
    const field = object.field(condition.path.names[0] ?? '');
    const found =
      field &&
      lookUp(
        field.name,
        condition.values.map((literal) => String(literal.value)),
      );
    if (found !== undefined && (best === undefined || found.length < best.length)) best = found;
  }
  return best;

  function lookUp(field: string, values: string[]): StoredRecord[] | undefined {
    const table = store.table(object.name);
    const folded = [...new Set(values.map(fold))];
    if (field !== 'Id') {
      if (table.findBy(field, '') === undefined) return undefined;
      return folded.flatMap((value) => table.findBy(field, value) ?? []);
    }
    return [...new Set(values)].flatMap((value) => table.get(value) ?? []);
  }
}

type Order = { column: Column; descending: boolean; nullsLast: boolean };

function compareBy(order: Order[], left: StoredRecord, right: StoredRecord): number {
  for (const { column, descending, nullsLast } of order) {
    const [a, b] = [column.value(left), column.value(right)];
    if (a === b) continue;
    if (a === null || b === null) return (a === null) === nullsLast ? 1 : -1;
    const ascending = (typeof a === 'string' ? fold(a) : a) < (typeof b === 'string' ? fold(b) : b) ? -1 : 1;
    return descending ? -ascending : ascending;
  }
  return 0;
}

/** What SELECT asks for: own columns, parents as nested objects, children as nested results. */
function compileRow(query: Query, object: SObject, state: OrgState, options: QueryOptions) {
  const columns = query.fields.map((path) => resolvePath(path, object, query.text, state));
  const children = query.children.map((child) => compileChild(child, object, state, options));
  return (record: StoredRecord): Record<string, unknown> => {
    const row: Record<string, unknown> = { attributes: attributes(object.name, options.version, record.id) };
    for (const column of columns) place(row, record, column, state, options.version);
    for (const { name, read } of children) row[name] = read(record);
    return row;
  };
}

function place(
  row: Record<string, unknown>,
  record: StoredRecord,
  { via, field, value }: Column,
  state: OrgState,
  version: string,
): void {
  let target = row;
  let current: StoredRecord | undefined = record;
  for (const reference of via) {
    const name = reference.relationshipName ?? reference.name;
    const parentType = reference.referenceTo[0] ?? '';
    current = state.store.table(parentType).get(String(current.values[reference.name] ?? ''));
    if (current === undefined) {
      target[name] = null;
      return;
    }
    const known: unknown = target[name];
    const parent: Record<string, unknown> = isRow(known)
      ? known
      : { attributes: attributes(parentType, version, current.id) };
    target[name] = parent;
    target = parent;
  }
  target[field.name] = toWire(field, value(record));
}

function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function compileChild(query: Query, object: SObject, state: OrgState, options: QueryOptions) {
  const children = Object.entries(object.children ?? {});
  const relationship = children.find(([name]) => name.toLowerCase() === query.from.toLowerCase());
  if (relationship === undefined) {
    const message =
      `${pointAt(query.text, query.fromAt)}Didn't understand relationship '${query.from}' in FROM part of query call. ` +
      "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship " +
      'name. Please reference your WSDL or the describe call for the appropriate names.';
    throw new RestFailure({ code: 'INVALID_TYPE', message });
  }
  const [name, child] = relationship;
  const childObject = resolveObject(child.object, query.fromAt, query.text, state);
  const render = compileRow(query, childObject, state, options);
  return {
    name,
    read(parent: StoredRecord): unknown {
      const own: Condition = {
        kind: 'compare',
        path: { names: [child.field], at: query.fromAt },
        operator: '=',
        values: [{ kind: 'string', value: parent.id }],
      };
      const where: Condition = query.where === undefined ? own : { kind: 'and', parts: [own, query.where] };
      const records = select({ ...query, where }, childObject, state, options.includeDeleted);
      if (records.length === 0) return null;
      return { totalSize: records.length, done: true, records: records.map(render) };
    },
  };
}
