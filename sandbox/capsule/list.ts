import type { Answer } from '../core/provider.ts';
import { type CapsuleCall, ok, parseId } from './call.ts';
import { formatTimestamp, parseSince } from './dates.ts';
import { failure, missingRecord } from './errors.ts';
import type { Opportunity } from './opportunity.ts';
import { answerPage } from './paging.ts';
import { showOpportunity } from './show.ts';

const BATCH_MAX = 10;

/** One opportunity, or up to ten by comma-separated ids. */
export function getOpportunities(call: CapsuleCall): Answer {
  const { state, embeds } = call;
  const ids = call.id.split(',');
  if (ids.length > BATCH_MAX) return failure('id', 'too many ids');
  const found = ids.flatMap((id) => state.opportunities.find(parseId(id) ?? 0) ?? []);
  if (ids.length > 1)
    return ok({ opportunities: found.map((record) => showOpportunity(record, state, embeds)) });
  const [record] = found;
  return record === undefined
    ? missingRecord('opportunity')
    : ok({ opportunity: showOpportunity(record, state, embeds) });
}

/** All opportunities, or with `since` those created or changed after it. */
export function listOpportunities(call: CapsuleCall): Answer {
  const { state, query } = call;
  const all = [...state.opportunities.all()];
  const since = query.get('since');
  if (since === null) return answerOpportunities(call, all);
  const sinceMs = parseSince(since);
  if (sinceMs === undefined) return failure('since', 'since is not a valid date');
  return answerOpportunities(
    call,
    all.filter((record) => record.updatedMs >= sinceMs),
  );
}

export function listDeleted(call: CapsuleCall): Answer {
  const since = call.query.get('since');
  if (since === null) return failure('since', 'since is required');
  const sinceMs = parseSince(since);
  if (sinceMs === undefined) return failure('since', 'since is not a valid date');
  const deleted = call.state.opportunities.deleted().filter((entry) => entry.deletedMs >= sinceMs);
  return answerPage(call, 'opportunities', deleted, ({ id, deletedMs }) => ({
    id,
    deletedAt: formatTimestamp(deletedMs),
  }));
}

/** The global search is fuzzy: any part of a name or a description will do, and it lags as filters do. */
export function searchOpportunities(call: CapsuleCall): Answer {
  const words = (call.query.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...call.state.opportunities.all()].filter((record) => {
    const text = `${record.name} ${record.description ?? ''}`.toLowerCase();
    return isIndexed(record, call) && words.some((word) => text.includes(word));
  });
  return answerOpportunities(call, found);
}

/** Opportunities of a party, main or additional. The order is nowhere promised: here it is newest first. */
export function listPartyOpportunities(call: CapsuleCall): Answer {
  const partyId = parseId(call.id) ?? 0;
  if (!call.state.parties.has(partyId)) return missingRecord('party');
  return answerOpportunities(call, call.state.opportunities.ofParty(partyId).reverse());
}

export function answerOpportunities(call: CapsuleCall, records: readonly Opportunity[]): Answer {
  return answerPage(call, 'opportunities', records, (record) =>
    showOpportunity(record, call.state, call.embeds),
  );
}

/** Whether the filter index knows the record yet. */
export function isIndexed(record: Opportunity, call: CapsuleCall): boolean {
  return call.nowMs - record.createdMs >= call.state.options().filterLagMs;
}
