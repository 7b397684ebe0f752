import type { z } from 'zod';
import type { AccountFacts, CustomFieldFact } from '../../domain/integrated-account.ts';
import type { Call, Looked, ProviderRequest } from '../port.ts';
import { orWhenHidden, readAs } from '../read-call.ts';
import {
  CloseCustomField,
  CloseFieldSchema,
  CloseMe,
  CloseOrganization,
  ClosePipeline,
  CloseStatus,
  CloseUser,
  closeList,
} from './responses.ts';

type Organization = z.infer<typeof CloseOrganization>;

/** Close refuses a larger `_limit` on some lists. */
const PAGE = 100;
const PAGES_MAX = 50;

export function lookUp(path: string, query?: Record<string, unknown>): ProviderRequest {
  return { method: 'GET', path, ...(query ? { query } : {}), purpose: 'look_up' };
}

/** All rows of a list, page by page. */
async function listAll<T>(call: Call, path: string, row: z.ZodType<T>): Promise<Looked<T[]>> {
  const rows: T[] = [];
  for (let page = 0; page < PAGES_MAX; page++) {
    const request = lookUp(path, { _limit: PAGE, _skip: page * PAGE });
    const looked = await readAs(call, request, closeList(row));
    if (!looked.ok) return looked;
    rows.push(...looked.value.data);
    if (looked.value.has_more !== true || looked.value.data.length === 0) break;
  }
  return { ok: true, value: rows };
}

/** @see https://developer.close.com/api/resources/opportunity-statuses */
export async function fetchFacts(call: Call, nowMs: number): Promise<Looked<AccountFacts>> {
  const me = await readAs(call, lookUp('/api/v1/me/'), CloseMe);
  if (!me.ok) return me;
  const [statuses, pipelines, fields, users] = await Promise.all([
    listAll(call, '/api/v1/status/opportunity/', CloseStatus),
    listAll(call, '/api/v1/pipeline/', ClosePipeline),
    fetchCustomFields(call),
    listAll(call, '/api/v1/user/', CloseUser).then((looked) => orWhenHidden(looked, [])),
  ]);
  if (!statuses.ok) return statuses;
  if (!pipelines.ok) return pipelines;
  if (!fields.ok) return fields;
  if (!users.ok) return users;
  // An API key belongs to one organisation, its user perhaps to several: the statuses say which one it is.
  const organizationId = statuses.value[0]?.organization_id ?? me.value.organizations?.[0]?.id;
  const organization = await fetchOrganization(call, organizationId);
  if (!organization.ok) return organization;
  const names = new Map(pipelines.value.map(({ id, name }) => [id, name]));
  return {
    ok: true,
    value: {
      fetchedAtMs: nowMs,
      stages: statuses.value.map((status) => toStage(status, names)),
      owners: users.value.map((user) => ({
        id: user.id,
        name: nameOf(user),
        ...(user.email ? { email: user.email } : {}),
        active: true,
      })),
      customFields: fields.value?.map(toCustomField) ?? [],
      currency: {
        mode: 'organisation',
        ...(organization.value?.currency ? { code: organization.value.currency } : {}),
      },
      user: { id: me.value.id, name: nameOf(me.value) },
      ...(organization.value
        ? { organisation: { id: organization.value.id, name: organization.value.name ?? '' } }
        : {}),
      features: { customFieldsHidden: fields.value === undefined },
    },
  };
}

async function fetchOrganization(
  call: Call,
  id: string | undefined,
): Promise<Looked<Organization | undefined>> {
  if (id === undefined) return { ok: true, value: undefined };
  const request = lookUp(`/api/v1/organization/${encodeURIComponent(id)}/`);
  return orWhenHidden<Organization | undefined>(await readAs(call, request, CloseOrganization), undefined);
}

/** The opportunity's own fields, and with them the shared ones, which only the schema lists. */
async function fetchCustomFields(call: Call): Promise<Looked<CloseCustomField[] | undefined>> {
  const [own, schema] = await Promise.all([
    listAll(call, '/api/v1/custom_field/opportunity/', CloseCustomField).then(hiddenAsUndefined),
    readAs(call, lookUp('/api/v1/custom_field_schema/opportunity/'), CloseFieldSchema).then(
      hiddenAsUndefined,
    ),
  ]);
  if (!own.ok) return own;
  if (!schema.ok) return schema;
  const shared = schema.value?.fields ?? schema.value?.data ?? undefined;
  if (own.value === undefined && shared === undefined) return { ok: true, value: undefined };
  const byId = new Map([...(shared ?? []), ...(own.value ?? [])].map((field) => [field.id, field]));
  return { ok: true, value: [...byId.values()] };
}

function hiddenAsUndefined<T>(looked: Looked<T>): Looked<T | undefined> {
  return orWhenHidden<T | undefined>(looked, undefined);
}

function toStage(
  status: z.infer<typeof CloseStatus>,
  names: Map<string, string>,
): AccountFacts['stages'][number] {
  const pipeline = status.pipeline_id ?? undefined;
  return {
    id: status.id,
    name: status.label,
    ...(pipeline === undefined ? {} : { pipeline: { id: pipeline, name: names.get(pipeline) ?? pipeline } }),
    status: status.type === 'active' ? 'open' : status.type,
    active: true,
  };
}

function toCustomField(field: CloseCustomField): CustomFieldFact {
  return {
    key: field.id,
    label: field.name,
    type: field.type,
    creatable: true,
    multiple: field.accepts_multiple_values ?? false,
    ...(field.choices ? { options: field.choices } : {}),
  };
}

export function nameOf(user: CloseUser): string {
  const full = [user.first_name, user.last_name].filter(Boolean).join(' ');
  return full || user.display_name || user.email || user.id;
}
