import type { OpportunityInput } from '../../domain/opportunity.ts';
import { fail, type MappingNotes, valueAt } from '../mapping-notes.ts';
import { isJsonObject, mergeRemoteData, pointerSegment } from '../merge-remote-data.ts';
import type { FollowUp, Marker, WritePlan } from '../port.ts';
import { appendMarker, normaliseText, stripMarker } from '../text-marker.ts';
import { definitionIdOf, definitionOf, type FieldEntry } from './custom-fields.ts';

export type Body = Record<string, unknown>;

export const CREATE_PATH = '/api/v2/opportunities';
/** Tags and custom fields come back only when asked for. */
export const EMBED = 'tags,fields,party,milestone';

/** `remote_data` as part of the opportunity object, with or without Capsule's wrapper around it. */
export function ownRemoteData({ remote_data }: OpportunityInput): Body {
  if (!remote_data) return {};
  const { opportunity, ...rest } = remote_data;
  return isJsonObject(opportunity) ? { ...rest, ...opportunity } : remote_data;
}

type Parts = { mapped: Body; fields: FieldEntry[]; remote: Body; marker: Marker | undefined };

/** `remote_data` merged last, then the marker, which nothing may take away. */
export function toBody({ mapped, fields, remote, marker }: Parts, notes: MappingNotes): Body {
  checkRemote(mapped, remote, notes);
  const { pipeline: _consumed, fields: remoteFields, ...rest } = remote;
  const { body } = mergeRemoteData(mapped, rest);
  const entries = mergeFields(fields, remoteFields, marker, notes);
  if (entries.length > 0) body.fields = entries;
  if (marker?.kind === 'text')
    body.description = appendMarker(
      typeof body.description === 'string' ? body.description : undefined,
      marker.value,
    );
  return body;
}

/** Lists are replaced as a whole by a merge; custom fields are merged one by one, so that none gets lost. */
function mergeFields(
  own: FieldEntry[],
  remote: unknown,
  marker: Marker | undefined,
  notes: MappingNotes,
): unknown[] {
  if (remote !== undefined && !Array.isArray(remote))
    fail(notes, '/remote_data/fields', 'invalid_body', 'must be a list of {definition, value}');
  const given: unknown[] = Array.isArray(remote) ? remote : [];
  const markerId = marker?.kind === 'custom_field' ? definitionIdOf(marker.field) : undefined;
  const kept = given.filter((entry, index) => {
    const isMarker = markerId !== undefined && definitionOf(entry) === String(markerId);
    if (isMarker)
      notes.warnings.push({
        code: 'marker_protected',
        pointer: `/remote_data/fields/${index}`,
        message: 'is the write marker and was not replaced',
      });
    return !isMarker;
  });
  const replaced = new Set(kept.map(definitionOf));
  const entries: unknown[] = [
    ...own.filter(({ definition }) => !replaced.has(String(definition.id))),
    ...kept,
  ];
  if (markerId !== undefined && marker) entries.push({ definition: { id: markerId }, value: marker.value });
  return entries;
}

function checkRemote(mapped: Body, remote: Body, notes: MappingNotes): void {
  for (const key of Object.keys(remote)) {
    const pointer = `/remote_data/${pointerSegment(key)}`;
    if (/__c$/i.test(key))
      fail(notes, pointer, 'invalid_body', 'is a Salesforce field; Capsule does not know it');
    if (/^(?:custom\.)?cf_/.test(key))
      fail(
        notes,
        pointer,
        'invalid_body',
        'is a field of Close; Capsule takes custom_fields, or fields in remote_data',
      );
  }
  for (const key of ['party', 'name', 'milestone'])
    if (remote[key] === null && mapped[key] !== undefined)
      fail(notes, `/remote_data/${key}`, 'invalid_body', 'must not be null: Capsule requires it');
  if (mapped.tags !== undefined && remote.tags !== undefined)
    notes.warnings.push({
      code: 'replaced_by_remote_data',
      pointer: '/tags',
      message: 'remote_data.tags is used instead',
    });
}

export function toPlan(body: Body, followUps: FollowUp[], remoteQuery: Body): WritePlan {
  const party = valueAt(body, 'party.id');
  return {
    create: {
      method: 'POST',
      path: CREATE_PATH,
      query: { ...remoteQuery, embed: mergeEmbed(remoteQuery.embed) },
      body: { opportunity: body },
      purpose: 'create',
    },
    followUps,
    content: contentOf(body),
    ...(typeof party === 'number' || typeof party === 'string' ? { parentId: String(party) } : {}),
  };
}

/** The caller's embeds are added to ours: without ours the answer lacks what we report back. */
function mergeEmbed(given: unknown): string {
  const more = (Array.isArray(given) ? given : [given]).flatMap((item) =>
    typeof item === 'string' ? item.split(',') : [],
  );
  return [...new Set([...EMBED.split(','), ...more.map((item) => item.trim()).filter(Boolean)])].join(',');
}

/**
 * What tells one opportunity of a party from another. Owner, team and milestone are left out: automations of
 * the customer change them right after a create, and a changed record would then not be recognised.
 */
export function contentOf(record: Body): Record<string, string | number | null> {
  const amount = valueAt(record, 'value.amount');
  const party = valueAt(record, 'party.id');
  return {
    party: typeof party === 'number' || typeof party === 'string' ? String(party) : null,
    name: comparable(record.name),
    description: comparable(record.description),
    amount: typeof amount === 'number' ? amount : null,
    currency: typeof amount === 'number' ? comparable(valueAt(record, 'value.currency')) : null,
    expectedCloseOn: comparable(record.expectedCloseOn),
  };
}

function comparable(value: unknown): string | null {
  return typeof value === 'string' ? normaliseText(stripMarker(value)) || null : null;
}
