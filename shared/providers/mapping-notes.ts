import type { FieldFailure, FieldFailureCode, Unsupported, Warning } from '../domain/failure.ts';
import type { OpportunityInput } from '../domain/opportunity.ts';
import { isJsonObject } from './merge-remote-data.ts';
import type { RequiredField } from './port.ts';

/** What a mapping finds out on its way, collected so that all failures are reported at once. */
export type MappingNotes = {
  failures: FieldFailure[];
  unsupported: Unsupported[];
  warnings: Warning[];
  /** Set when fresh facts might cure a failure. */
  staleFacts: boolean;
};

export function createNotes(): MappingNotes {
  return { failures: [], unsupported: [], warnings: [], staleFacts: false };
}

export function fail(
  notes: MappingNotes,
  pointer: string,
  code: FieldFailureCode,
  message: string,
): undefined {
  notes.failures.push({ pointer, code, message });
  return undefined;
}

/** Value at a dotted path, or undefined. A key that itself contains the dots wins (`custom.cf_…`). */
export function valueAt(object: unknown, path: string): unknown {
  if (!isJsonObject(object)) return undefined;
  if (Object.hasOwn(object, path)) return object[path];
  const dot = path.indexOf('.');
  if (dot < 0) return undefined;
  const head = path.slice(0, dot);
  return Object.hasOwn(object, head) ? valueAt(object[head], path.slice(dot + 1)) : undefined;
}

/** Required fields that neither the body nor `remote_data` supplies; null in `remote_data` supplies nothing. */
export function findMissing(required: RequiredField[], opportunity: OpportunityInput): FieldFailure[] {
  return required
    .filter((field) => {
      if (field.isGiven(opportunity)) return false;
      return !field.remoteKeys.some((key) => (valueAt(opportunity.remote_data, key) ?? '') !== '');
    })
    .map(({ pointer, message }) => ({ pointer, code: 'missing_required_fields', message }));
}
