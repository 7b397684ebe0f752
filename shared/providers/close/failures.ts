import type { FieldFailure, WriteOutcome } from '../../domain/failure.ts';
import { describe, describeBody, outcomeOf, softenForReads } from '../failure-outcome.ts';
import { isJsonObject, pointerSegment } from '../merge-remote-data.ts';
import type { AnsweredCall, ProviderRequest } from '../port.ts';
import { fieldIdOf } from './custom-fields.ts';
import { RULES } from './failure-rules.ts';
import { readLimitHit } from './limits.ts';
import { CloseOpportunity } from './responses.ts';

export { RULES as failureTable } from './failure-rules.ts';

/**
 * What Close's answer to a create means. It answers 200, not 201, with the record itself.
 * @see https://developer.close.com/api/overview/http-response-codes
 */
export function classify(answer: AnsweredCall, request: ProviderRequest): WriteOutcome {
  const isSuccess = answer.status >= 200 && answer.status < 300;
  const record = isSuccess ? CloseOpportunity.safeParse(answer.body) : undefined;
  if (record?.success)
    return { kind: 'written', remoteId: record.data.id, answer: answer.body, httpStatus: answer.status };
  for (const rule of RULES) {
    if (!rule.matches(answer)) continue;
    const fields = rule.outcome === 'permanent' ? readFieldErrors(answer.body, request) : [];
    const details = {
      message: messageOf(answer, rule.when),
      fields,
      ...(rule.outcome === 'rate_limited' ? { limit: readLimitHit(answer) } : {}),
    };
    return softenForReads(outcomeOf(rule, answer, details), request);
  }
  throw new Error('the last row of the failure table matches everything');
}

function messageOf({ body, status }: AnsweredCall, when: string): string {
  const fallback = `Close answered ${status}: ${when}`;
  if (!isJsonObject(body)) return describeBody(body, fallback);
  const fields = flatten(body['field-errors']).map(({ field, text }) => `${field}: ${text}`);
  const parts = [describe(body.errors), fields.join('; '), describe(body.error)];
  return parts.filter(Boolean).join('; ') || describe(body.message) || fallback;
}

type FieldError = { field: string; text: string };

/** `{"emails": {"errors": {"1": "…"}}}` → `emails.1`. */
function flatten(errors: unknown, path: string[] = []): FieldError[] {
  const [field] = path;
  if (isJsonObject(errors))
    return Object.entries(errors).flatMap(([key, value]) =>
      flatten(value, key === 'errors' && path.length > 0 ? path : [...path, key]),
    );
  const text = describe(errors);
  return field === undefined || text === undefined ? [] : [{ field: path.join('.'), text }];
}

function readFieldErrors(body: unknown, request: ProviderRequest): FieldFailure[] {
  if (!isJsonObject(body)) return [];
  return flatten(body['field-errors']).map(({ field, text }) => ({
    pointer: pointerOf(field, request),
    code: 'provider_validation',
    message: `${field}: ${text}`,
  }));
}

/** Close names its model (`lead`), not the key that was sent (`lead_id`); both are known. */
const POINTERS: Readonly<Record<string, string>> = {
  lead: '/account/id',
  user: '/owner/id',
  status: '/stage/id',
  pipeline: '/remote_data/pipeline_id',
  contact: '/contact/0/id',
  value: '/amount',
  date_won: '/close_date',
  date_created: '/created_at',
};

/** Where in our body the field of an error is. */
export function pointerOf(field: string, request: ProviderRequest): string {
  const custom = /^(?:custom\.)?(cf_\w+)/.exec(field)?.[1];
  if (custom !== undefined && fieldIdOf(custom)) return `/custom_fields/${pointerSegment(custom)}`;
  const [head = field] = field.split('.');
  const model = head.replace(/_id$/, '');
  if (Object.hasOwn(POINTERS, model)) return POINTERS[model] ?? '';
  if (model === 'note')
    return isJsonObject(request.body) && hasDescription(request.body.note) ? '/description' : '/name';
  return `/remote_data/${field.split('.').map(pointerSegment).join('/')}`;
}

function hasDescription(note: unknown): boolean {
  return typeof note === 'string' && note.includes('\n');
}
