import { isObject, type JsonObject } from './call.ts';
import { isDate } from './dates.ts';
import { CURRENCIES, type Tag } from './directory.ts';
import type { Failures } from './errors.ts';
import { DURATION_BASES, type DurationBasis, type Value } from './opportunity.ts';
import type { CapsuleState } from './state.ts';

/** A value read from a request: undefined is "not given" or "refused", null is "given as nothing". */
type Read<Type> = Type | null | undefined;

const WRONG_TYPE = 'invalid type for field';

/** `{"id": n}` of something that exists. A reference in the body that does not exist is a 422, not a 404. */
export function readReference<Item>(
  value: unknown,
  field: string,
  records: Map<number, Item>,
  failures: Failures,
): Read<Item> {
  if (value === undefined || value === null) return value;
  if (!isObject(value) || typeof value.id !== 'number') {
    failures.add(field, WRONG_TYPE);
    return undefined;
  }
  const item = records.get(value.id);
  if (item === undefined) failures.add(field, `${field} not found`);
  return item;
}

export function readText(value: unknown, field: string, failures: Failures): Read<string> {
  if (value === undefined || value === null || typeof value === 'string') return value;
  failures.add(field, WRONG_TYPE);
  return undefined;
}

/** A date only; a time is not cut off but refused. */
export function readDate(value: unknown, field: string, failures: Failures): Read<string> {
  if (value === undefined || value === null) return value;
  if (isDate(value)) return value;
  failures.add(field, `${field} is not a valid date`);
  return undefined;
}

/** Major units with decimals, and a currency Capsule knows; an amount without one is refused. */
export function readMoney(value: unknown, failures: Failures): Read<Value> {
  if (value === undefined || value === null) return value;
  if (!isObject(value)) {
    failures.add('value', WRONG_TYPE);
    return undefined;
  }
  const amount = value.amount ?? null;
  const currency = value.currency ?? null;
  if (amount !== null && typeof amount !== 'number') {
    failures.add('value.amount', WRONG_TYPE);
    return undefined;
  }
  if (currency === null) {
    if (amount === null) return null;
    failures.add('value.currency', 'currency is required');
    return undefined;
  }
  if (typeof currency !== 'string' || !CURRENCIES.has(currency)) {
    failures.add('value.currency', 'currency is invalid');
    return undefined;
  }
  return { amount, currency };
}

/** Only an open deal has a probability of its own; a closing milestone dictates it. */
export function readProbability(value: unknown, isClosing: boolean, failures: Failures): Read<number> {
  if (value === undefined || value === null) return value;
  if (isClosing) failures.add('probability', 'probability can be updated only for open opportunity');
  else if (typeof value !== 'number' || !Number.isInteger(value)) failures.add('probability', WRONG_TYPE);
  else if (value < 0 || value > 100) failures.add('probability', 'probability must be between 0 and 100');
  else return value;
  return undefined;
}

export type Duration = { durationBasis: DurationBasis; duration: number | null };

/** How long a deal runs: FIXED has no length, every other basis needs one. */
export function readDuration(fields: JsonObject, current: Duration, failures: Failures): Duration {
  const basis =
    fields.durationBasis === undefined || fields.durationBasis === null
      ? current.durationBasis
      : DURATION_BASES.find((known) => known === fields.durationBasis);
  if (basis === undefined) {
    failures.add('durationBasis', 'durationBasis is invalid');
    return current;
  }
  const inherited = basis === 'FIXED' ? null : current.duration;
  const duration = fields.duration === undefined ? inherited : fields.duration;
  if (basis === 'FIXED') {
    if (duration !== null) failures.add('duration', 'duration must be null for fixed duration basis');
    return { durationBasis: basis, duration: null };
  }
  if (typeof duration !== 'number' || !Number.isInteger(duration) || duration < 1) {
    failures.add('duration', duration === null ? 'duration is required' : WRONG_TYPE);
    return current;
  }
  return { durationBasis: basis, duration };
}

/** A tag of a request: one that exists, or the name of one to be made when the write succeeds. */
export type TagChange =
  | { kind: 'attach'; tag: Tag }
  | { kind: 'make'; name: string }
  | { kind: 'detach'; tag: Tag };

/** By id a tag must exist; by name, whatever its case, it is made when missing. */
export function readTags(
  value: unknown,
  attached: readonly Tag[],
  state: CapsuleState,
  failures: Failures,
): TagChange[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    failures.add('tags', WRONG_TYPE);
    return [];
  }
  const changes: TagChange[] = [];
  for (const item of value) {
    const change = isObject(item) ? readTag(item, attached, state) : undefined;
    if (typeof change === 'object') changes.push(change);
    else failures.add('tags', change ?? WRONG_TYPE);
  }
  return changes;
}

function readTag(item: JsonObject, attached: readonly Tag[], state: CapsuleState): TagChange | string {
  if (item._delete === true) {
    const tag = attached.find(({ id }) => id === item.id);
    return tag === undefined ? 'tag not found to delete' : { kind: 'detach', tag };
  }
  if (item.id !== undefined) {
    const tag = typeof item.id === 'number' ? state.tags.get(item.id) : undefined;
    return tag === undefined ? 'tag not found' : { kind: 'attach', tag };
  }
  if (typeof item.name !== 'string' || item.name.trim() === '') return 'name is required';
  const name = item.name.trim();
  const tag = findTag(name, state);
  return tag === undefined ? { kind: 'make', name } : { kind: 'attach', tag };
}

/** The tags after the changes; this is where missing ones are made. */
export function applyTags(
  changes: TagChange[],
  attached: readonly Tag[],
  state: CapsuleState,
): readonly Tag[] {
  if (changes.length === 0) return attached;
  const tags = [...attached];
  for (const change of changes) {
    if (change.kind === 'detach') {
      tags.splice(tags.indexOf(change.tag), 1);
      continue;
    }
    const tag = change.kind === 'attach' ? change.tag : makeTag(change.name, state);
    if (!tags.includes(tag)) tags.push(tag);
  }
  return tags;
}

function makeTag(name: string, state: CapsuleState): Tag {
  const existing = findTag(name, state);
  if (existing !== undefined) return existing;
  const tag = { id: state.nextTagId(), name, isDataTag: false };
  state.tags.set(tag.id, tag);
  return tag;
}

function findTag(name: string, state: CapsuleState): Tag | undefined {
  const wanted = name.toLowerCase();
  for (const tag of state.tags.values()) if (tag.name.toLowerCase() === wanted) return tag;
  return undefined;
}
