import type { z } from 'zod';
import type { AccountFacts, AccountSettings, CustomFieldFact } from '../../domain/integrated-account.ts';
import type { Call, Looked } from '../port.ts';
import { readAs } from '../read-call.ts';
import { findMappedPointer } from './field-pointers.ts';
import { identityUrls, readIdentity } from './identity.ts';
import { dataPath } from './paths.ts';
import { getTogether, queryUrl, recordOf, rowsOf } from './reads.ts';
import { isSameId } from './record-id.ts';
import { type FieldDescribe, ObjectDescribe, OrganizationRow, StageRow, UserRow } from './responses.ts';

/** One page of users; more than a person wants to choose from. */
const USERS_MAX = 2_000;

const STAGES_SOQL =
  'SELECT ApiName, MasterLabel, IsActive, IsClosed, IsWon FROM OpportunityStage ORDER BY SortOrder';
const USERS_SOQL = `SELECT Id, Name, Email FROM User WHERE IsActive = true AND UserType = 'Standard' ORDER BY Name LIMIT ${USERS_MAX}`;

type StageFlags = z.infer<typeof StageRow>;
type Stage = AccountFacts['stages'][number];

/**
 * {@link ProviderClient.fetchFacts} in three metered calls: describe, who we are, and the queries together.
 * A query the user may not run leaves its part empty; only the describe and the session are indispensable.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
 */
export async function fetchFacts(
  call: Call,
  nowMs: number,
  settings: AccountSettings,
): Promise<Looked<AccountFacts>> {
  const path = dataPath(settings, 'sobjects', 'Opportunity', 'describe');
  const described = await readAs(call, { method: 'GET', path, purpose: 'look_up' }, ObjectDescribe);
  if (!described.ok) return described;
  const identity = await readIdentity(call, settings, 'look_up');
  if (!identity.ok) return identity;
  const { userId } = identity.value;
  const urls = {
    stages: queryUrl(settings, STAGES_SOQL),
    users: queryUrl(settings, USERS_SOQL),
    ...identityUrls(settings, identity.value),
  };
  const answers = await getTogether(call, settings, urls, 'look_up');
  if (!answers.ok) return answers;

  const rows = <Row extends z.ZodType>(part: string, row: Row) => rowsOf(answers.value.get(part), row) ?? [];
  const { fields } = described.value;
  const users = rows('users', UserRow);
  const organisation = recordOf(answers.value.get('organisation'), OrganizationRow);
  const me =
    recordOf(answers.value.get('me'), UserRow) ??
    users.find(({ Id }) => userId !== undefined && isSameId(Id, userId));
  const organisationId = organisation?.Id ?? identity.value.organisationId;
  const facts: AccountFacts = {
    fetchedAtMs: nowMs,
    stages: toStages(findField(fields, 'StageName'), rows('stages', StageRow)),
    owners: users.map(({ Id, Name, Email }) => ({
      id: Id,
      name: Name ?? Id,
      email: Email ?? undefined,
      active: true,
    })),
    customFields: fields.filter(isForCustomFields).map(toCustomField),
    currency: toCurrency(findField(fields, 'CurrencyIsoCode'), organisation?.DefaultCurrencyIsoCode),
    user: { id: userId ?? '', name: me?.Name ?? userId ?? '' },
    features: {
      restrictedStage: findField(fields, 'StageName')?.restrictedPicklist ?? false,
      multiCurrency: findField(fields, 'CurrencyIsoCode') !== undefined,
      auditFields: findField(fields, 'CreatedDate')?.createable ?? false,
      contactIdOnCreate: findField(fields, 'ContactId')?.createable ?? false,
    },
  };
  if (organisationId !== undefined)
    facts.organisation = { id: organisationId, name: organisation?.Name ?? organisationId };
  return { ok: true, value: facts };
}

function findField(fields: FieldDescribe[], name: string): FieldDescribe | undefined {
  return fields.find((field) => field.name === name);
}

/** Everything a caller may name under `custom_fields`: custom fields, and standard ones without a unified name. */
function isForCustomFields(field: FieldDescribe): boolean {
  return field.custom || (field.createable && findMappedPointer(field.name) === undefined);
}

function toCustomField(field: FieldDescribe): CustomFieldFact {
  const options = field.picklistValues?.filter((value) => value.active).map((value) => value.value);
  return {
    key: field.name,
    label: field.label,
    type: field.type,
    creatable: field.createable,
    multiple: field.type === 'multipicklist',
    ...(options === undefined || options.length === 0 ? {} : { options }),
    ...(field.externalId === undefined ? {} : { externalId: field.externalId }),
    ...(field.unique === undefined ? {} : { unique: field.unique }),
    ...(field.length === undefined || field.length === 0 ? {} : { maxLength: field.length }),
  };
}

/**
 * The picklist says what may be chosen and how the user sees it (translated labels); the stage rows add
 * won, lost and the inactive ones.
 */
function toStages(field: FieldDescribe | undefined, rows: StageFlags[]): Stage[] {
  const values = field?.picklistValues ?? [];
  const statusOf = (row: StageFlags | undefined): Stage['status'] =>
    row?.IsWon === true ? 'won' : row?.IsClosed === true ? 'lost' : 'open';
  const chosen = values.map((value): Stage => {
    const row = rows.find(({ ApiName }) => ApiName === value.value);
    return {
      id: value.value,
      name: value.label ?? value.value,
      status: statusOf(row),
      active: value.active,
    };
  });
  const others = rows
    .filter(({ ApiName }) => !values.some((value) => value.value === ApiName))
    .map(
      (row): Stage => ({
        id: row.ApiName,
        name: row.MasterLabel,
        status: statusOf(row),
        active: row.IsActive,
      }),
    );
  return [...chosen, ...others];
}

/** `CurrencyIsoCode` exists on the Opportunity only in organisations with several currencies. */
function toCurrency(
  field: FieldDescribe | undefined,
  organisationCode: string | null | undefined,
): AccountFacts['currency'] {
  const code = organisationCode ?? undefined;
  if (field === undefined) return { mode: 'organisation', code };
  const allowed = field.picklistValues?.filter((value) => value.active).map((value) => value.value);
  return { mode: 'per_record', code, allowed };
}
