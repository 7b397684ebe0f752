import { formatTimestamp } from './dates.ts';
import {
  type FieldDefinition,
  type Milestone,
  type Party,
  SEEDED_MS,
  type Tag,
  type User,
} from './directory.ts';
import type { FieldRow, Opportunity } from './opportunity.ts';
import type { CapsuleState } from './state.ts';

const PICTURES = 'https://facehub.example/default';
const SEEDED_AT = formatTimestamp(SEEDED_MS);

/** An opportunity as Capsule answers it. Tags, fields and full relations come only when embedded. */
export function showOpportunity(
  record: Opportunity,
  state: CapsuleState,
  embeds: ReadonlySet<string>,
): Record<string, unknown> {
  const { milestone, lastOpenMilestone, ownerId, teamId, lostReasonId } = record;
  const owner = ownerId === null ? undefined : state.users.get(ownerId);
  const team = teamId === null ? undefined : state.teams.get(teamId);
  const party = state.parties.get(record.partyId);
  const lostReason = lostReasonId === null ? undefined : state.lostReasons.get(lostReasonId);
  const shown: Record<string, unknown> = {
    id: record.id,
    owner: owner === undefined ? null : showNestedUser(owner),
    team: team === undefined ? null : { id: team.id, name: team.name },
    party: party === undefined ? null : showNestedParty(party),
    lostReason: lostReason === undefined ? null : { id: lostReason.id, name: lostReason.name },
    milestone: { id: milestone.id, name: milestone.name },
    value: record.value,
    probability: record.probability,
    durationBasis: record.durationBasis,
    duration: record.duration,
    expectedCloseOn: record.expectedCloseOn,
    closedOn: record.closedOn,
    createdAt: formatTimestamp(record.createdMs),
    updatedAt: formatTimestamp(record.updatedMs),
    lastContactedAt: null,
    lastStageChangedAt: formatTimestamp(record.stageChangedMs),
    lastOpenMilestone:
      lastOpenMilestone === null ? null : { id: lastOpenMilestone.id, name: lastOpenMilestone.name },
    name: record.name,
    description: record.description,
  };
  if (embeds.size > 0) embed(shown, record, state, embeds, party);
  return shown;
}

function embed(
  shown: Record<string, unknown>,
  record: Opportunity,
  state: CapsuleState,
  embeds: ReadonlySet<string>,
  party: Party | undefined,
): void {
  if (embeds.has('tags')) shown.tags = record.tags.map(showTag);
  if (embeds.has('fields')) shown.fields = record.fields.map((row) => showFieldRow(row, state));
  if (embeds.has('party') && party !== undefined) shown.party = showParty(party, state);
  if (embeds.has('milestone')) shown.milestone = showMilestone(record.milestone, state);
  if (embeds.has('missingImportantFields')) {
    shown.missingImportantFields = isMissingImportantFields(record, state);
  }
}

function showFieldRow(row: FieldRow, state: CapsuleState): Record<string, unknown> {
  const definition = state.definitions.get(row.definitionId);
  return {
    id: row.id,
    definition: { id: row.definitionId, name: definition?.name ?? '' },
    value: row.value,
    ...(definition === undefined || definition.tagId === null ? {} : { tagId: definition.tagId }),
  };
}

function isMissingImportantFields(record: Opportunity, state: CapsuleState): boolean {
  for (const definition of state.definitions.values()) {
    if (definition.isImportant && !record.fields.some((row) => row.definitionId === definition.id))
      return true;
  }
  return false;
}

export function showNestedUser(user: User): Record<string, unknown> {
  return {
    id: user.id,
    deleted: false,
    username: user.username,
    pictureURL: `${PICTURES}/user?id=${user.id}`,
    name: user.name,
  };
}

/** A person carries two names where an organisation carries one. */
export function showNestedParty(party: Party): Record<string, unknown> {
  const pictureURL = `${PICTURES}/party?id=${party.id}`;
  return party.type === 'organisation'
    ? { id: party.id, type: party.type, name: party.name, pictureURL }
    : { id: party.id, type: party.type, firstName: party.firstName, lastName: party.lastName, pictureURL };
}

export function showParty(party: Party, state: CapsuleState): Record<string, unknown> {
  const organisation = party.type === 'person' ? state.parties.get(party.organisationId) : undefined;
  return {
    ...showNestedParty(party),
    ...(party.type === 'person'
      ? { title: null, jobTitle: null, organisation: organisation && showNestedParty(organisation) }
      : {}),
    about: null,
    owner: null,
    team: null,
    emailAddresses: [],
    phoneNumbers: [],
    addresses: [],
    websites: [],
    createdAt: SEEDED_AT,
    updatedAt: SEEDED_AT,
    lastContactedAt: null,
  };
}

/** Closing milestones have no description and never go stale. */
export function showMilestone(milestone: Milestone, state: CapsuleState): Record<string, unknown> {
  const pipeline = state.pipelines.get(milestone.pipelineId);
  return {
    id: milestone.id,
    name: milestone.name,
    ...(milestone.isComplete ? {} : { description: null, daysUntilStale: 30 }),
    complete: milestone.isComplete,
    probability: milestone.probability,
    pipeline: { id: milestone.pipelineId, name: pipeline?.name ?? '' },
    createdAt: SEEDED_AT,
    updatedAt: SEEDED_AT,
  };
}

export function showTag(tag: Tag): Record<string, unknown> {
  return { id: tag.id, name: tag.name, dataTag: tag.isDataTag };
}

export function showDefinition(definition: FieldDefinition, state: CapsuleState): Record<string, unknown> {
  const tag = definition.tagId === null ? undefined : state.tags.get(definition.tagId);
  return {
    id: definition.id,
    type: definition.type,
    name: definition.name,
    description: null,
    important: definition.isImportant,
    displayOrder: definition.id % 100,
    captureRule: null,
    ...(tag === undefined ? {} : { tag: showTag(tag) }),
    ...(definition.options === null ? {} : { options: definition.options }),
  };
}
