import type { Answer } from '../core/provider.ts';
import { type CapsuleCall, isObject, type JsonObject, ok, parseId } from './call.ts';
import { dayOf } from './dates.ts';
import type { Team, User } from './directory.ts';
import { createFailures, type Failures, failure, missingRecord, validationFailed } from './errors.ts';
import { applyFields } from './field-values.ts';
import {
  applyTags,
  readDate,
  readDuration,
  readMoney,
  readProbability,
  readReference,
  readTags,
  readText,
} from './input.ts';
import type { Opportunity } from './opportunity.ts';
import { showOpportunity } from './show.ts';

export function createOpportunity(call: CapsuleCall): Answer {
  const { state, nowMs } = call;
  const fields = unwrap(call.body);
  if (fields === undefined) return failure('opportunity', 'opportunity is required');
  const failures = createFailures();
  const party = readRequired(fields.party, 'party', state.parties, failures);
  const milestone = readRequired(fields.milestone, 'milestone', state.milestones, failures);
  const name = readName(fields.name, failures);
  const given = readCommon(fields, call, milestone?.isComplete === true, [], failures);
  const ownership = chooseOwnership(given, call.userId, failures);
  const duration = readDuration(fields, { durationBasis: 'FIXED', duration: null }, failures);
  const rows = applyFields(fields.fields, [], state, failures);
  if (!party || !milestone || name === undefined || failures.list.length > 0) {
    return validationFailed(failures.list);
  }
  const record: Opportunity = {
    id: state.opportunities.nextId(),
    name,
    description: given.description ?? null,
    ownerId: ownership.ownerId,
    teamId: ownership.teamId,
    partyId: party.id,
    otherPartyIds: [],
    milestone,
    lastOpenMilestone: milestone.isComplete ? null : milestone,
    lostReasonId: given.lostReason?.id ?? null,
    value: given.value ?? null,
    probability: given.probability ?? milestone.probability,
    durationBasis: duration.durationBasis,
    duration: duration.duration,
    expectedCloseOn: given.expectedCloseOn ?? null,
    closedOn: milestone.isComplete ? (given.closedOn ?? dayOf(nowMs)) : null,
    createdMs: nowMs,
    updatedMs: nowMs,
    stageChangedMs: nowMs,
    tags: applyTags(given.tagChanges, [], state),
    fields: rows,
  };
  state.opportunities.commit(record);
  const answer: Answer = {
    status: 201,
    headers: { location: `${call.baseUrl}/opportunities/${record.id}` },
    body: { opportunity: showOpportunity(record, state, call.embeds) },
  };
  // A milestone automation of the account takes the owner away after the answer has been made.
  if (state.options().automation) state.opportunities.commit({ ...record, ownerId: null });
  return answer;
}

/** PUT is a patch: what is not named stays, except that owner and team are written as a pair. */
export function updateOpportunity(call: CapsuleCall): Answer {
  const { state, nowMs } = call;
  const before = state.opportunities.find(parseId(call.id) ?? 0);
  if (before === undefined) return missingRecord('opportunity');
  const fields = unwrap(call.body);
  if (fields === undefined) return failure('opportunity', 'opportunity is required');
  const failures = createFailures();
  const milestone =
    fields.milestone === undefined
      ? before.milestone
      : (readRequired(fields.milestone, 'milestone', state.milestones, failures) ?? before.milestone);
  const partyId =
    fields.party === undefined
      ? before.partyId
      : (readRequired(fields.party, 'party', state.parties, failures)?.id ?? before.partyId);
  const name = fields.name === undefined ? before.name : readName(fields.name, failures);
  const given = readCommon(fields, call, milestone.isComplete, before.tags, failures);
  const ownership =
    given.owner === undefined && given.team === undefined
      ? { ownerId: before.ownerId, teamId: before.teamId }
      : chooseOwnership(given, null, failures);
  const duration = readDuration(fields, before, failures);
  const rows = applyFields(fields.fields, before.fields, state, failures);
  if (name === undefined || failures.list.length > 0) return validationFailed(failures.list);

  const hasMoved = milestone !== before.milestone;
  const record: Opportunity = {
    ...before,
    ...ownership,
    ...duration,
    name,
    partyId,
    otherPartyIds: before.otherPartyIds.filter((id) => id !== partyId),
    milestone,
    lastOpenMilestone: milestone.isComplete ? before.lastOpenMilestone : milestone,
    description: given.description === undefined ? before.description : given.description,
    lostReasonId: given.lostReason === undefined ? before.lostReasonId : (given.lostReason?.id ?? null),
    value: given.value === undefined ? before.value : given.value,
    probability: given.probability ?? (hasMoved ? milestone.probability : before.probability),
    expectedCloseOn: given.expectedCloseOn === undefined ? before.expectedCloseOn : given.expectedCloseOn,
    closedOn: milestone.isComplete ? (given.closedOn ?? before.closedOn ?? dayOf(nowMs)) : null,
    updatedMs: nowMs,
    stageChangedMs: hasMoved ? nowMs : before.stageChangedMs,
    tags: applyTags(given.tagChanges, before.tags, state),
    fields: rows,
  };
  state.opportunities.commit(record);
  return ok({ opportunity: showOpportunity(record, state, call.embeds) });
}

export function deleteOpportunity(call: CapsuleCall): Answer {
  const record = call.state.opportunities.find(parseId(call.id) ?? 0);
  if (record === undefined) return missingRecord('opportunity');
  call.state.opportunities.remove(record, call.nowMs);
  return { status: 204 };
}

function unwrap(body: unknown): JsonObject | undefined {
  return isObject(body) && isObject(body.opportunity) ? body.opportunity : undefined;
}

function readCommon(
  fields: JsonObject,
  { state }: CapsuleCall,
  isClosing: boolean,
  attached: Opportunity['tags'],
  failures: Failures,
) {
  return {
    owner: readReference(fields.owner, 'owner', state.users, failures),
    team: readReference(fields.team, 'team', state.teams, failures),
    lostReason: readReference(fields.lostReason, 'lostReason', state.lostReasons, failures),
    description: readText(fields.description, 'description', failures),
    value: readMoney(fields.value, failures),
    expectedCloseOn: readDate(fields.expectedCloseOn, 'expectedCloseOn', failures),
    closedOn: readDate(fields.closedOn, 'closedOn', failures),
    probability: readProbability(fields.probability, isClosing, failures),
    tagChanges: readTags(fields.tags, attached, state, failures),
  };
}

type Ownership = { ownerId: number | null; teamId: number | null };

/** Neither given: the token's user. The party's owner plays no part. */
function chooseOwnership(
  given: { owner: User | null | undefined; team: Team | null | undefined },
  fallbackOwnerId: number | null,
  failures: Failures,
): Ownership {
  const { owner, team } = given;
  if (owner && team && !team.memberIds.has(owner.id)) {
    failures.add('owner', 'owner is not a member of the team');
  }
  const ownerId = owner?.id ?? (team ? null : fallbackOwnerId);
  const teamId = team?.id ?? null;
  if (ownerId === null && teamId === null && failures.list.length === 0) {
    failures.add('owner', 'owner or team is required');
  }
  return { ownerId, teamId };
}

/** A reference that may not be missing, nor be nothing. */
function readRequired<Item>(
  value: unknown,
  field: string,
  records: Map<number, Item>,
  failures: Failures,
): Item | undefined {
  const item = readReference(value, field, records, failures);
  if (value === undefined || value === null) failures.add(field, `${field} is required`);
  return item ?? undefined;
}

function readName(value: unknown, failures: Failures): string | undefined {
  const name = readText(value, 'name', failures);
  if (value !== undefined && value !== null && typeof name !== 'string') return undefined;
  if (typeof name === 'string' && name.trim() !== '') return name;
  failures.add('name', 'name is required');
  return undefined;
}
