import type { JobRequest } from '../domain/job.ts';
import { Opportunity } from '../domain/opportunity.ts';
import { isJsonObject } from './merge-remote-data.ts';

/** What a confirmed create left us with. */
export type WrittenRecord = {
  /** The provider's own record, unified; `remote_data` holds the record as it came. */
  opportunity: Opportunity;
  /** The provider's answer to the create, untouched. */
  answer: unknown;
  /** False: the record was not read, and the create told little more than its id. */
  isWhole: boolean;
};

type Format = Pick<JobRequest['query'], 'response_format' | 'ignore_remote_data' | 'exclude_fields'>;

/**
 * The result as the caller asked for it. Pure.
 *
 * - `unified`: every field of the model, `null` where the provider has none, and `remote_data` unless it is to be ignored. Of a record that was
 *   not read only what is known of it.
 * - `normalized`: the same within the fields, too (a stage without a name has `"name": null`); never `remote_data`.
 * - `raw`: the provider's answer to the create, untouched: nothing is excluded from it.
 */
export function formatResult(written: WrittenRecord, format: Format): unknown {
  const { opportunity, answer } = written;
  if (format.response_format === 'raw') return answer ?? null;
  const shaped = format.response_format === 'normalized' ? normalize(opportunity) : unified(written, format);
  return excludeFields(shaped, format.exclude_fields ?? []);
}

function unified(
  { opportunity, isWhole }: WrittenRecord,
  { ignore_remote_data }: Format,
): Record<string, unknown> {
  const { remote_data, ...known } = opportunity;
  const fields = isWhole ? everyField(opportunity) : withoutEmpty(known);
  return ignore_remote_data || remote_data === undefined ? fields : { ...fields, remote_data };
}

const MODEL_FIELDS = Object.keys(Opportunity.shape).filter((field) => field !== 'remote_data');

/** Of a record that nobody has seen, `null` and `[]` would say that it has none. */
function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  const isEmpty = (value: unknown) =>
    value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function everyField(opportunity: Opportunity): Record<string, unknown> {
  const fields: Record<string, unknown> = { ...opportunity };
  return Object.fromEntries(MODEL_FIELDS.map((field) => [field, fields[field] ?? null]));
}

function normalize(opportunity: Opportunity): Record<string, unknown> {
  const { account, stage, tags } = opportunity;
  return {
    ...everyField(opportunity),
    account: account ? { id: account.id, name: account.name ?? null } : null,
    stage: stage ? { id: stage.id ?? null, name: stage.name ?? null } : null,
    tags: tags?.map((tag) => ({ id: tag.id ?? null, name: tag.name ?? null })) ?? null,
  };
}

/**
 * A copy without the named fields. A name may be a dotted path (`owner.id`, `contact.id` for every contact,
 * `remote_data.foo`); a key that itself contains the dots wins over the path. Unknown names exclude nothing.
 */
export function excludeFields(
  record: Record<string, unknown>,
  names: readonly string[],
): Record<string, unknown> {
  return names.reduce((left, name) => without(left, name), record);
}

function without(record: Record<string, unknown>, name: string): Record<string, unknown> {
  if (Object.hasOwn(record, name)) {
    const { [name]: _excluded, ...left } = record;
    return left;
  }
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const head = name.slice(0, dot);
    if (!Object.hasOwn(record, head)) continue;
    return { ...record, [head]: withoutBelow(record[head], name.slice(dot + 1)) };
  }
  return record;
}

function withoutBelow(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutBelow(entry, name));
  return isJsonObject(value) ? without(value, name) : value;
}
