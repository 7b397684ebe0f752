import type { OpportunityInput } from '../../domain/opportunity.ts';
import { createNotes, fail, findMissing, type MappingNotes, valueAt } from '../mapping-notes.ts';
import type { MappingInput, MappingResult, Marker, RequiredField } from '../port.ts';
import { resolveStage } from '../resolve-stage.ts';
import { mapContacts, partyOf } from './contacts.ts';
import { mapCustomFields } from './custom-fields.ts';
import { toId } from './ids.ts';
import { type Body, ownRemoteData, toBody, toPlan } from './plan-body.ts';

export const REQUIRED: RequiredField[] = [
  {
    field: 'name',
    pointer: '/name',
    isGiven: (opportunity) => opportunity.name !== undefined,
    remoteKeys: ['name', 'opportunity.name'],
    message: 'is required for Capsule',
  },
  {
    field: 'stage',
    pointer: '/stage',
    isGiven: (opportunity) => opportunity.stage !== undefined,
    remoteKeys: ['milestone', 'opportunity.milestone'],
    message: 'is required for Capsule: send stage.id or stage.name (or remote_data.milestone)',
  },
  {
    field: 'account',
    pointer: '/account',
    isGiven: (opportunity) => opportunity.account !== undefined || (opportunity.contact ?? []).length > 0,
    remoteKeys: ['party', 'opportunity.party'],
    message:
      'Capsule needs a party for every opportunity: send account.id, or contact[0].id, either works (or remote_data.party)',
  },
];

/**
 * Our opportunity as Capsule's create call, further contacts as follow-ups. A plan made without facts is for
 * validation only: a stage or custom field given by name is then missing from it.
 * @see https://developer.capsulecrm.com/v2/operations/Opportunity
 */
export function plan(input: MappingInput): MappingResult {
  const notes = createNotes();
  const { opportunity, facts, marker } = input;
  const remote = ownRemoteData(opportunity);
  notes.failures.push(...findMissing(REQUIRED, opportunity));
  if (opportunity.created_at !== undefined)
    notes.unsupported.push({
      pointer: '/created_at',
      code: 'unsupported_field',
      message: 'Capsule sets the creation time itself',
    });
  const party = partyOf(opportunity, notes);
  const mapped: Body = {
    ...given('party', reference(party)),
    ...given('name', mapName(opportunity, notes)),
    ...given('description', opportunity.description || undefined),
    ...given('milestone', mapMilestone(input, remote, notes)),
    ...given('owner', reference(toId(opportunity.owner?.id, '/owner/id', 'user', notes))),
    ...given('value', mapValue(input, remote, notes)),
    // The date part exactly as written: shifting zones would move the day.
    ...given('expectedCloseOn', opportunity.close_date?.slice(0, 10)),
    ...given('tags', mapTags(opportunity, notes)),
  };
  const fields = mapCustomFields(opportunity.custom_fields ?? {}, facts, markerFieldOf(marker), notes);
  const body = toBody({ mapped, fields, remote, marker }, notes);
  const followUps = mapContacts(opportunity, valueAt(body, 'party.id'), notes);
  const { failures, unsupported, warnings, staleFacts } = notes;
  if (failures.length > 0) return { ok: false, failures, unsupported, staleFacts };
  return { ok: true, plan: toPlan(body, followUps, input.remoteQuery), warnings, unsupported };
}

function given(key: string, value: unknown): Body {
  return value === undefined ? {} : { [key]: value };
}

function reference(id: number | undefined): { id: number } | undefined {
  return id === undefined ? undefined : { id };
}

function mapName({ name }: OpportunityInput, notes: MappingNotes): string | undefined {
  return name?.trim() === '' ? fail(notes, '/name', 'invalid_body', 'must not be blank') : name;
}

function mapMilestone(
  { opportunity, facts }: MappingInput,
  remote: Body,
  notes: MappingNotes,
): { id: number } | undefined {
  // An explicit milestone wins anyway; then the stage's name need not be found.
  if (!opportunity.stage || (remote.milestone ?? undefined) !== undefined) return undefined;
  const hint = { value: pipelineOf(remote), key: 'pipeline' };
  const stage = resolveStage(opportunity.stage, facts, hint);
  if (stage.kind === 'resolved') return reference(toId(stage.id, '/stage/id', 'milestone', notes));
  notes.failures.push(stage.failure);
  notes.staleFacts ||= stage.staleFacts;
  return undefined;
}

/** `remote_data.pipeline`, as id, name or `{id}`: Capsule has no such field, it only tells stages apart. */
function pipelineOf(remote: Body): string | undefined {
  const { pipeline } = remote;
  const value = valueAt(pipeline, 'id') ?? valueAt(pipeline, 'name') ?? pipeline;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** Amounts are in major units, not scaled. An amount without a currency is refused by Capsule. */
function mapValue({ opportunity, facts }: MappingInput, remote: Body, notes: MappingNotes): Body | undefined {
  const { amount, currency } = opportunity;
  const allowed = facts?.currency.allowed;
  if (currency !== undefined && allowed !== undefined && !allowed.includes(currency)) {
    notes.staleFacts = true;
    return fail(
      notes,
      '/currency',
      'invalid_body',
      `the account does not know ${currency}; it has: ${allowed.join(', ')}`,
    );
  }
  if (amount === undefined && (valueAt(remote, 'value.amount') ?? undefined) === undefined) {
    if (currency !== undefined)
      notes.unsupported.push({
        code: 'currency_without_amount',
        pointer: '/currency',
        message: 'Capsule keeps a currency only together with an amount; it is not written',
      });
    return undefined;
  }
  if (currency === undefined && typeof valueAt(remote, 'value.currency') !== 'string')
    return fail(
      notes,
      '/currency',
      'missing_required_fields',
      "Capsule refuses an amount without a currency: send currency, set it in the account's defaults, or use remote_data.value.currency",
    );
  return { ...given('amount', amount), ...given('currency', currency) };
}

/** By id a tag must exist; by name Capsule makes it where it is missing. The id wins where both are given. */
function mapTags({ tags }: OpportunityInput, notes: MappingNotes): Body[] | undefined {
  const seen = new Set<string>();
  const mapped = (tags ?? []).flatMap((tag, index): Body[] => {
    const { id, name } = tag;
    const key = id === undefined ? `name ${name?.trim().toLowerCase()}` : `id ${id}`;
    if (id === undefined && !name?.trim()) {
      fail(notes, `/tags/${index}`, 'invalid_body', 'must have an id or a name');
      return [];
    }
    if (seen.has(key)) return [];
    seen.add(key);
    return [id === undefined ? { name } : { id: toId(id, `/tags/${index}/id`, 'tag', notes) }];
  });
  return mapped.length === 0 ? undefined : mapped;
}

function markerFieldOf(marker: Marker | undefined): string | undefined {
  return marker?.kind === 'custom_field' ? marker.field : undefined;
}
