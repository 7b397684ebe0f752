import type { CapsuleCall } from './call.ts';
import { dayOf } from './dates.ts';
import type { FieldDefinition, FieldType } from './directory.ts';
import type { FieldKind, FieldValue } from './filter-operators.ts';
import type { Opportunity } from './opportunity.ts';
import type { CapsuleState } from './state.ts';

export type FilterField = { kind: FieldKind; read: (record: Opportunity) => FieldValue };

type Reader = (record: Opportunity, call: CapsuleCall) => FieldValue;

/** A deal with no change for this long is stale. */
const STALE_MS = 30 * 86_400_000;

/**
 * The names a filter knows ("Filters", and the vendor's own client for the last five). They are not those of the
 * response: addedOn and updatedOn here are createdAt and updatedAt there.
 */
const FIELDS: Record<string, { kind: FieldKind; read: Reader }> = {
  id: { kind: 'number', read: ({ id }) => id },
  name: { kind: 'text', read: ({ name }) => name },
  status: { kind: 'choice', read: (record) => [statusOf(record)] },
  pipeline: {
    kind: 'choice',
    read: ({ milestone }, { state }) => named(milestone.pipelineId, state.pipelines),
  },
  milestone: { kind: 'choice', read: ({ milestone }) => [milestone.id, milestone.name] },
  probability: { kind: 'number', read: ({ probability }) => probability },
  lostReason: {
    kind: 'choice',
    read: ({ lostReasonId }, { state }) => named(lostReasonId, state.lostReasons),
  },
  currency: { kind: 'choice', read: ({ value }) => value?.currency ?? null },
  expectedValue: {
    kind: 'number',
    read: ({ value, probability }) =>
      typeof value?.amount === 'number' ? (value.amount * probability) / 100 : null,
  },
  tag: { kind: 'choice', read: ({ tags }) => tags.flatMap(({ id, name }) => [id, name]) },
  owner: { kind: 'choice', read: ({ ownerId }, { state }) => named(ownerId, state.users) },
  team: { kind: 'choice', read: ({ teamId }, { state }) => named(teamId, state.teams) },
  isOpen: { kind: 'boolean', read: ({ milestone }) => !milestone.isComplete },
  isStale: {
    kind: 'boolean',
    read: ({ milestone, updatedMs }, { nowMs }) => !milestone.isComplete && nowMs - updatedMs > STALE_MS,
  },
  isOwnedByMe: { kind: 'boolean', read: ({ ownerId }, { userId }) => ownerId === userId },
  hasTags: { kind: 'boolean', read: ({ tags }) => tags.length > 0 },
  addedOn: { kind: 'date', read: ({ createdMs }) => dayOf(createdMs) },
  updatedOn: { kind: 'date', read: ({ updatedMs }) => dayOf(updatedMs) },
  lastContactedOn: { kind: 'date', read: () => null },
  closedOn: { kind: 'date', read: ({ closedOn }) => closedOn },
  expectedCloseOn: { kind: 'date', read: ({ expectedCloseOn }) => expectedCloseOn },
  party: { kind: 'choice', read: ({ partyId, otherPartyIds }) => [partyId, ...otherPartyIds] },
  primaryContact: { kind: 'choice', read: ({ partyId }) => [partyId] },
  primaryContactName: { kind: 'text', read: ({ partyId }, { state }) => partyName(partyId, state) },
  hasOpenTasks: { kind: 'boolean', read: () => false },
  includedForConversion: { kind: 'boolean', read: () => true },
};

const CUSTOM_KINDS: Record<FieldType, FieldKind> = {
  text: 'text',
  link: 'text',
  multiselect: 'text',
  list: 'text',
  number: 'number',
  date: 'date',
  boolean: 'boolean',
};

/** The field of a name, `custom:<definition id>` among them, or undefined for every other name. */
export function findFilterField(name: unknown, call: CapsuleCall): FilterField | undefined {
  if (typeof name !== 'string') return undefined;
  const custom = /^custom:(\d+)$/.exec(name);
  if (custom !== null) {
    const definition = call.state.definitions.get(Number(custom[1]));
    return definition === undefined ? undefined : customField(definition);
  }
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  return field === undefined ? undefined : { kind: field.kind, read: (record) => field.read(record, call) };
}

function customField({ id, type }: FieldDefinition): FilterField {
  const absent = type === 'boolean' ? false : null;
  return {
    kind: CUSTOM_KINDS[type],
    read: (record) => {
      for (const row of record.fields) if (row.definitionId === id) return row.value;
      return absent;
    },
  };
}

function statusOf({ milestone }: Opportunity): string {
  if (!milestone.isComplete) return 'open';
  return milestone.probability === 100 ? 'won' : 'lost';
}

/** A record answers to its id and to its name. */
function named(id: number | null, records: Map<number, { name: string }>): FieldValue {
  if (id === null) return null;
  const record = records.get(id);
  return record === undefined ? [id] : [id, record.name];
}

function partyName(id: number, state: CapsuleState): string | null {
  const party = state.parties.get(id);
  if (party === undefined) return null;
  return party.type === 'organisation' ? party.name : `${party.firstName} ${party.lastName}`;
}
