import type { Warning } from '../../domain/failure.ts';
import type { AccountFacts, AccountSettings } from '../../domain/integrated-account.ts';
import type { UnifiedField } from '../../domain/opportunity.ts';
import { findKey, mergeRemoteData } from '../merge-remote-data.ts';
import type { MappingInput, MappingResult, Marker, ProviderRequest, WritePlan } from '../port.ts';
import { type FirstContact, type MappedContacts, mapContacts } from './contacts.ts';
import { mapCustomFields } from './custom-fields.ts';
import { type Draft, joinDrafts } from './draft.ts';
import { findMarkerFault } from './marker.ts';
import { dataPath } from './paths.ts';
import { toId18 } from './record-id.ts';
import { mapStage } from './stage.ts';
import {
  mapAmount,
  mapCloseDate,
  mapCreatedAt,
  mapCurrency,
  mapDescription,
  mapName,
  mapReferences,
  mapTags,
  roundAmount,
} from './standard-fields.ts';

/** The unified fields whose Salesforce field a caller may supply through `remote_data` instead. */
const REPLACED_BY = {
  account: 'AccountId',
  owner: 'OwnerId',
  name: 'Name',
  stage: 'StageName',
  close_date: 'CloseDate',
  amount: 'Amount',
  currency: 'CurrencyIsoCode',
  description: 'Description',
  created_at: 'CreatedDate',
} as const satisfies Partial<Record<UnifiedField, string>>;

/** {@link ProviderDescriptor.plan}: our opportunity as one insert, or as one upsert by the marker's external id. */
export function plan(input: MappingInput): MappingResult {
  const { facts, marker, settings } = input;
  const opportunity = withoutReplaced(input);
  const contacts = mapContacts(opportunity.contact, placeOfFirstContact(input));
  const draft = joinDrafts([
    mapName(opportunity.name),
    mapDescription(opportunity.description),
    mapAmount(opportunity.amount),
    ...mapReferences(opportunity),
    mapCloseDate(opportunity.close_date),
    mapStage(opportunity.stage, facts),
    mapCurrency(opportunity.currency, facts),
    mapCreatedAt(opportunity.created_at, settings),
    mapTags(opportunity.tags),
    mapCustomFields(opportunity.custom_fields, facts, marker?.field),
    contacts,
    checkMarker(marker, facts),
  ]);
  const { failures, unsupported, staleFacts } = draft;
  if (failures.length > 0) return { ok: false, failures, unsupported, staleFacts };
  return assemble(input, draft, contacts);
}

/** A value the caller supplies in `remote_data` under Salesforce's own name wins, so ours needs no checking. */
function withoutReplaced({ opportunity }: MappingInput): MappingInput['opportunity'] {
  const remote = opportunity.remote_data;
  if (remote === undefined) return opportunity;
  const left = { ...opportunity };
  for (const field of Object.keys(REPLACED_BY)) {
    // Object.keys of a literal gives exactly its keys; the type says only string.
    const key = field as keyof typeof REPLACED_BY;
    if (findKey(remote, REPLACED_BY[key], true) !== undefined) delete left[key];
  }
  return left;
}

/** Not in an upsert, whose body may be sent twice, nor where the user or the caller's own `ContactId` forbids it. */
function placeOfFirstContact({ facts, marker, opportunity }: MappingInput): FirstContact {
  if (findKey(opportunity.remote_data ?? {}, 'ContactId', true) !== undefined) return 'plain_role';
  const inCreate = marker?.kind !== 'external_id' && facts?.features.contactIdOnCreate !== false;
  return inCreate ? 'in_create' : 'primary_role';
}

function checkMarker(marker: Marker | undefined, facts: AccountFacts | undefined): Draft {
  const fault = marker === undefined ? undefined : findMarkerFault(marker, facts);
  if (fault === undefined) return {};
  return { failures: [{ pointer: '', code: 'invalid_body', message: fault }], staleFacts: true };
}

function assemble(input: MappingInput, draft: Required<Draft>, contacts: MappedContacts): MappingResult {
  const { marker, opportunity } = input;
  const mapped = { ...draft.body };
  if (marker?.kind === 'custom_field') mapped[marker.field] = marker.value;
  const { body, refused } = mergeRemoteData(mapped, opportunity.remote_data, {
    caseInsensitive: true,
    protectedPaths: marker === undefined ? [] : [[marker.field]],
  });
  const warnings = refused.map(
    (pointer): Warning => ({
      code: 'marker_protected',
      pointer,
      message: 'this field marks our own writes on this account and was left out',
    }),
  );
  const content = contentOf(body);
  const parent = content.AccountId;
  const written: WritePlan = { create: createRequest(input, body), followUps: contacts.followUps, content };
  if (typeof parent === 'string') written.parentId = parent;
  return {
    ok: true,
    plan: written,
    warnings: [...draft.warnings, ...warnings],
    unsupported: draft.unsupported,
  };
}

/**
 * Insert, or upsert by external id; the key of an upsert is in the path and must not be in the body.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
 */
function createRequest(
  {
    marker,
    settings,
    remoteQuery,
  }: { marker: Marker | undefined; settings: AccountSettings } & Pick<MappingInput, 'remoteQuery'>,
  body: Record<string, unknown>,
): ProviderRequest {
  const upsert = marker?.kind === 'external_id' ? [marker.field, marker.value] : undefined;
  const request: ProviderRequest = {
    method: upsert === undefined ? 'POST' : 'PATCH',
    path: dataPath(settings, 'sobjects', 'Opportunity', ...(upsert ?? [])),
    body,
    purpose: 'create',
  };
  return Object.keys(remoteQuery).length === 0 ? request : { ...request, query: remoteQuery };
}

/** The values that tell one opportunity from another, as Salesforce stores them. */
function contentOf(body: Record<string, unknown>): WritePlan['content'] {
  const read = (field: string): string | number | null => {
    const key = findKey(body, field, true);
    const value = key === undefined ? undefined : body[key];
    return typeof value === 'string' || typeof value === 'number' ? value : null;
  };
  const [name, account, amount] = [read('Name'), read('AccountId'), read('Amount')];
  return {
    Name: typeof name === 'string' ? name.replace(/^[\0- ]+|[\0- ]+$/g, '') : name,
    AccountId: typeof account === 'string' ? toId18(account) : account,
    Amount: typeof amount === 'number' ? roundAmount(amount) : amount,
    CloseDate: read('CloseDate'),
    StageName: read('StageName'),
  };
}
