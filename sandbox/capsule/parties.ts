import type { Answer } from '../core/provider.ts';
import { type CapsuleCall, ok, parseId } from './call.ts';
import type { Party } from './directory.ts';
import { failure, missingRecord } from './errors.ts';
import type { Opportunity } from './opportunity.ts';
import { answerPage } from './paging.ts';
import { showParty } from './show.ts';

export function getParty(call: CapsuleCall): Answer {
  const party = call.state.parties.get(parseId(call.id) ?? 0);
  return party === undefined ? missingRecord('party') : ok({ party: showParty(party, call.state) });
}

/** The additional parties of an opportunity. */
export function listOtherParties(call: CapsuleCall): Answer {
  const { state } = call;
  const record = state.opportunities.find(parseId(call.id) ?? 0);
  if (record === undefined) return missingRecord('opportunity');
  const parties = record.otherPartyIds.flatMap((id) => state.parties.get(id) ?? []);
  return answerPage(call, 'parties', parties, (party) => showParty(party, state));
}

/** 204 and nothing to parse. What is linked already is refused, in two wordings. */
export function addParty(call: CapsuleCall): Answer {
  const linked = findBoth(call);
  if ('status' in linked) return linked;
  const { record, party } = linked;
  if (party.id === record.partyId) {
    return failure('party', 'party is already related to this opportunity', 'party');
  }
  if (record.otherPartyIds.includes(party.id)) {
    return failure('party', 'party is already a contact for this opportunity', 'party');
  }
  commitParties(call, record, [...record.otherPartyIds, party.id]);
  return { status: 204 };
}

export function removeParty(call: CapsuleCall): Answer {
  const linked = findBoth(call);
  if ('status' in linked) return linked;
  const { record, party } = linked;
  if (!record.otherPartyIds.includes(party.id)) return missingRecord('party');
  commitParties(
    call,
    record,
    record.otherPartyIds.filter((id) => id !== party.id),
  );
  return { status: 204 };
}

function findBoth({ state, id, otherId }: CapsuleCall): { record: Opportunity; party: Party } | Answer {
  const record = state.opportunities.find(parseId(id) ?? 0);
  if (record === undefined) return missingRecord('opportunity');
  const party = state.parties.get(parseId(otherId) ?? 0);
  return party === undefined ? missingRecord('party') : { record, party };
}

function commitParties({ state, nowMs }: CapsuleCall, record: Opportunity, otherPartyIds: number[]): void {
  state.opportunities.commit({ ...record, otherPartyIds, updatedMs: nowMs });
}
