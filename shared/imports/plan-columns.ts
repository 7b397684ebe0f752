import { nearestKey } from '../contract/nearest-key.ts';
import { toPointer } from '../contract/validation-failures.ts';
import type { FieldFailure, FieldFailureCode } from '../domain/failure.ts';
import type { ColumnMapping } from '../domain/import.ts';
import { invalidImport } from './refuse.ts';
import { DEDUPE_KEY, nearestPath, parseUnifiedPath, type UnifiedPath } from './unified-paths.ts';

/** What becomes of the cells of one column. */
export type ColumnTarget = { kind: 'ignored' } | { kind: 'dedupe_key' } | ({ kind: 'field' } & UnifiedPath);

type Column = { name: string; index: number };

/** A header with hundreds of unknown names is another kind of file; the first ones show it. */
const FAILURES_MAX = 50;
/** Far above the fields of any CRM; what compares columns with each other stays quick below it. */
const COLUMNS_MAX = 2_000;

/**
 * What every column of a header stands for, by its name or by the mapping.
 * @throws AppError `invalid_import` naming every column that is unknown, nameless or doubled.
 */
export function planColumns(header: readonly string[], mapping: ColumnMapping = {}): ColumnTarget[] {
  if (header.length > COLUMNS_MAX) {
    throw invalidImport(`The header has ${header.length} columns; at most ${COLUMNS_MAX} are allowed.`);
  }
  const columns = header.map((name, index) => ({ name: name.trim(), index }));
  const failures = [
    ...findNameless(columns),
    ...findDoubled(columns),
    ...findMappedInVain(columns, mapping),
    ...columns.flatMap((column) => findUnknown(column, mapping)),
  ];
  const targets = columns.map(({ name }) => targetOf(name, mapping) ?? IGNORED);
  if (failures.length === 0) failures.push(...findCollisions(columns, targets));
  if (failures.length > 0) throw refusal(failures);
  return targets;
}

const IGNORED: ColumnTarget = { kind: 'ignored' };

/** undefined: unknown. */
function targetOf(name: string, mapping: ColumnMapping): ColumnTarget | undefined {
  const path = Object.hasOwn(mapping, name) ? mapping[name] : name;
  if (path === null || path === undefined || path === '') return IGNORED;
  if (path === DEDUPE_KEY) return { kind: 'dedupe_key' };
  const parsed = parseUnifiedPath(path);
  return parsed && { kind: 'field', ...parsed };
}

/** Spreadsheets leave separators behind the last column; between columns a missing name is a mistake. */
function findNameless(columns: Column[]): FieldFailure[] {
  const lastNamed = columns.findLastIndex(({ name }) => name !== '');
  return columns
    .filter(({ name, index }) => name === '' && index < lastNamed)
    .map(({ index }) => ({
      pointer: '',
      code: 'missing',
      message: `column ${index + 1} has no name; name it, or delete it`,
    }));
}

function findDoubled(columns: Column[]): FieldFailure[] {
  const seen = new Map<string, number[]>();
  for (const { name, index } of columns) {
    if (name !== '') seen.set(name, [...(seen.get(name) ?? []), index + 1]);
  }
  return [...seen]
    .filter(([, numbers]) => numbers.length > 1)
    .map(([name, numbers]) =>
      failureAt(name, 'repeated', `${quoted(name)} is the name of columns ${numbers.join(' and ')}`),
    );
}

function findMappedInVain(columns: Column[], mapping: ColumnMapping): FieldFailure[] {
  const names = columns.map(({ name }) => name);
  return Object.keys(mapping)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const nearest = nearestKey(name, names);
      const hint = nearest ? `; did you mean ${quoted(nearest)}?` : '';
      return failureAt(name, 'unknown_field', `mapping names ${quoted(name)}, which is no column${hint}`);
    });
}

function findUnknown({ name }: Column, mapping: ColumnMapping): FieldFailure[] {
  if (name === '' || targetOf(name, mapping) !== undefined) return [];
  const path = Object.hasOwn(mapping, name) ? (mapping[name] ?? '') : undefined;
  const nearest = nearestPath(path ?? name);
  const hint = nearest ? `; did you mean ${quoted(nearest)}?` : '.';
  if (path !== undefined) {
    const message = `mapping sends ${quoted(name)} to ${quoted(path)}, which is no unified path${hint}`;
    return [failureAt(name, 'invalid_value', message)];
  }
  const mapped = JSON.stringify({ [name.slice(0, 100)]: nearest ?? null });
  const way = `Rename the column, or send mapping=${mapped} (null leaves it out)`;
  return [failureAt(name, 'unknown_field', `${quoted(name)} is no unified path${hint} ${way}`)];
}

/** Two columns for one field, or for a field and a part of it. */
function findCollisions(columns: Column[], targets: ColumnTarget[]): FieldFailure[] {
  const taken = new Map<string, string>();
  const failures: FieldFailure[] = [];
  for (const { name, index } of columns) {
    const target = targets[index];
    if (target === undefined || target.kind === 'ignored') continue;
    const path = target.kind === 'dedupe_key' ? DEDUPE_KEY : toPointer(target.steps);
    const other = [...taken].find(([at]) => at === path || isInside(at, path) || isInside(path, at));
    if (other) {
      failures.push(
        failureAt(name, 'repeated', `${quoted(name)} fills the same field as ${quoted(other[1])}`),
      );
    }
    taken.set(path, name);
  }
  return failures;
}

const isInside = (path: string, other: string) => path.startsWith(`${other}/`);

const failureAt = (name: string, code: FieldFailureCode, message: string): FieldFailure => ({
  pointer: toPointer([name.slice(0, 100)]),
  code,
  message,
});

const quoted = (name: string) => JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);

function refusal(failures: FieldFailure[]) {
  const named = failures.map(({ message }) => message).join('; ');
  const shown = named.length > 1_000 ? `${named.slice(0, 1_000)}…` : named;
  return invalidImport(`The columns cannot be used: ${shown}`, failures.slice(0, FAILURES_MAX));
}
