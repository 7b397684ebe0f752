import type { FieldFailure, WriteOutcome } from '../../domain/failure.ts';
import { describe, describeBody, outcomeOf, softenForReads } from '../failure-outcome.ts';
import { pointerSegment } from '../merge-remote-data.ts';
import type { AnsweredCall, ProviderRequest } from '../port.ts';
import { RULES } from './failure-rules.ts';
import { readLimitHit } from './limits.ts';
import { CapsuleEnvelope, CapsuleErrors } from './responses.ts';

export { RULES as failureTable } from './failure-rules.ts';

/**
 * What Capsule's answer to a create, or to adding a contact, means.
 * @see https://developer.capsulecrm.com/v2/overview/handling-api-responses
 */
export function classify(answer: AnsweredCall, request: ProviderRequest): WriteOutcome {
  const remoteId = request.purpose === 'follow_up' ? followUpTarget(answer, request) : createdId(answer);
  if (remoteId !== undefined)
    return { kind: 'written', remoteId, answer: answer.body, httpStatus: answer.status };
  for (const rule of RULES) {
    if (!rule.matches(answer)) continue;
    const details = {
      message: messageOf(answer, rule.when),
      fields: rule.outcome === 'permanent' ? readFieldErrors(answer.body) : [],
      ...(rule.outcome === 'rate_limited' ? { limit: readLimitHit(answer) } : {}),
    };
    return softenForReads(outcomeOf(rule, answer, details), request);
  }
  throw new Error('the last row of the failure table matches everything');
}

function createdId({ status, body }: AnsweredCall): string | undefined {
  if (status < 200 || status >= 300) return undefined;
  const parsed = CapsuleEnvelope.safeParse(body);
  return parsed.success ? String(parsed.data.opportunity.id) : undefined;
}

function followUpTarget(answer: AnsweredCall, request: ProviderRequest): string | undefined {
  const target = /\/opportunities\/(\d+)\/parties\//.exec(request.path)?.[1];
  return answer.status === 204 || isAlreadyThere(answer) ? target : undefined;
}

/**
 * The two answers to adding a party that is there, as a further contact or as the main one. Nothing says
 * whether the sentence stands in `message` or in `errors`, so both are read.
 * @see https://developer.capsulecrm.com/v2/operations/Opportunity
 */
export function isAlreadyThere({ status, body }: AnsweredCall): boolean {
  return (
    status === 422 &&
    /party is already (?:a contact for|related to) this opportunity/i.test(JSON.stringify(body))
  );
}

function messageOf({ body, status }: AnsweredCall, when: string): string {
  const parsed = CapsuleErrors.safeParse(body);
  const errors = (parsed.success ? (parsed.data.errors ?? []) : []).flatMap((error) => {
    const where = [error.resource, error.field].filter(Boolean).join('.');
    const text = describe(error.message);
    return text === undefined ? [] : [where ? `${where}: ${text}` : text];
  });
  return errors.join('; ') || describeBody(body, `Capsule answered ${status}: ${when}`);
}

function readFieldErrors(body: unknown): FieldFailure[] {
  const parsed = CapsuleErrors.safeParse(body);
  return (parsed.success ? (parsed.data.errors ?? []) : []).map((error) => {
    const field = error.field ?? /^(\S+) is (?:required|invalid)/.exec(error.message ?? '')?.[1];
    return {
      pointer: pointerOf(error.resource ?? undefined, field ?? undefined),
      code: 'provider_validation',
      message: error.message ?? `${field ?? 'the request'} was refused`,
    };
  });
}

const POINTERS: Readonly<Record<string, string>> = {
  party: '/account/id',
  name: '/name',
  description: '/description',
  milestone: '/stage/id',
  owner: '/owner/id',
  user: '/owner/id',
  value: '/amount',
  'value.amount': '/amount',
  amount: '/amount',
  'value.currency': '/currency',
  currency: '/currency',
  expectedCloseOn: '/close_date',
  tags: '/tags',
  tag: '/tags',
  field: '/custom_fields',
  fields: '/custom_fields',
  definition: '/custom_fields',
};

/** Where in our body an error is: `field` is the JSON property, `resource` the entity it belongs to. */
export function pointerOf(resource: string | undefined, field: string | undefined): string {
  const [head] = field?.split('.') ?? [];
  for (const key of [field, head, resource])
    if (key !== undefined && Object.hasOwn(POINTERS, key)) return POINTERS[key] ?? '';
  return field === undefined ? '' : `/remote_data/${field.split('.').map(pointerSegment).join('/')}`;
}
