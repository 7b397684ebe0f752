import type { FieldFailure } from '../domain/failure.ts';
import type { AccountFacts, CustomFieldFact, MarkerSetting } from '../domain/integrated-account.ts';
import type { AccountQueries } from '../queues/account-queries.ts';
import type { Account } from '../stores/account-store.ts';
import { askOrThrow } from './account-access.ts';
import { throwFailures } from './validate-connection.ts';

/** A marker's value is a job id. */
const MARKER_CHARS = 36;
const TEXT_TYPES = ['string', 'text', 'single_line_text'];
const POINTER = '/settings/marker/field';

/**
 * Whether a field can carry the marker, by the account's live values. Pure. A marker in a field that drops or refuses it
 * would make every doubt about a write undecidable, so it is found out when the marker is set.
 */
export function findMarkerFailures(marker: MarkerSetting, facts: AccountFacts): FieldFailure[] {
  // The place of a text marker is the provider's own free text: descriptor.checkSettings knows it.
  if (marker.kind === 'text') return [];
  if (marker.field.toLowerCase() === 'name')
    return [failure('must never be Name: it would overwrite records')];
  const field = findField(marker.field, facts.customFields);
  if (!field) {
    const known = facts.customFields.filter(isText).map(({ key }) => key);
    return [
      failure(`is no field of this account; its text fields are ${known.slice(0, 30).join(', ') || 'none'}`),
    ];
  }
  const failures: FieldFailure[] = [];
  if (!isText(field)) failures.push(failure(`must be a text field, but is of type ${field.type}`));
  if (!field.creatable) failures.push(failure('cannot be written with these credentials'));
  if (field.maxLength !== undefined && field.maxLength < MARKER_CHARS)
    failures.push(failure(`must take ${MARKER_CHARS} characters, but takes ${field.maxLength}`));
  if (marker.kind === 'external_id' && !field.externalId) failures.push(failure('must be an External ID'));
  if (marker.kind === 'external_id' && !field.unique) failures.push(failure('must be Unique'));
  return failures;
}

/**
 * Asks the provider, through a worker, whether the marker works.
 * @throws AppError `invalid_body` when it does not; `query_timed_out` or the provider's failure when nobody can tell.
 */
export async function verifyMarker(
  deps: { queries: Pick<AccountQueries, 'ask'> },
  account: Account,
  marker: MarkerSetting | null | undefined,
): Promise<void> {
  if (!marker || marker.kind === 'text') return;
  const { value } = await askOrThrow(deps, account, { kind: 'facts' });
  // The worker answers `facts` with these.
  throwFailures(findMarkerFailures(marker, value as AccountFacts));
}

function findField(name: string, fields: CustomFieldFact[]): CustomFieldFact | undefined {
  const wanted = name.replace(/^custom\./, '');
  return (
    fields.find(({ key }) => key === wanted) ??
    fields.find(({ key }) => key.toLowerCase() === wanted.toLowerCase())
  );
}

function isText({ type, multiple }: CustomFieldFact): boolean {
  return TEXT_TYPES.includes(type.toLowerCase()) && !multiple;
}

function failure(message: string): FieldFailure {
  return { pointer: POINTER, code: 'invalid_body', message };
}
