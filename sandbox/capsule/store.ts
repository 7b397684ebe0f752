import type { Opportunity } from './opportunity.ts';

export type DeletedOpportunity = { id: number; deletedMs: number };

/** The opportunities, by id and by every party they belong to. Lists are plain: there is no lag. */
export type OpportunityStore = {
  nextId(): number;
  /** Stores a new record or a new version of one. */
  commit(record: Opportunity): void;
  remove(record: Opportunity, deletedMs: number): void;
  find(id: number): Opportunity | undefined;
  /** In creation order. */
  all(): Iterable<Opportunity>;
  ofParty(partyId: number): Opportunity[];
  deleted(): readonly DeletedOpportunity[];
};

const FIRST_ID = 9_000_001;

export function createOpportunityStore(nextNumber: () => number): OpportunityStore {
  const records = new Map<number, Opportunity>();
  const idsByParty = new Map<number, Set<number>>();
  const deleted: DeletedOpportunity[] = [];

  function link(partyId: number, id: number): void {
    const ids = idsByParty.get(partyId);
    if (ids === undefined) idsByParty.set(partyId, new Set([id]));
    else ids.add(id);
  }

  function unlink(record: Opportunity): void {
    idsByParty.get(record.partyId)?.delete(record.id);
    for (const partyId of record.otherPartyIds) idsByParty.get(partyId)?.delete(record.id);
  }

  return {
    nextId: () => FIRST_ID + nextNumber(),
    commit(record) {
      const before = records.get(record.id);
      if (before !== undefined) unlink(before);
      // A Map keeps the place of a key that is set again, so the order stays that of creation.
      records.set(record.id, record);
      link(record.partyId, record.id);
      for (const partyId of record.otherPartyIds) link(partyId, record.id);
    },
    remove(record, deletedMs) {
      unlink(record);
      records.delete(record.id);
      deleted.push({ id: record.id, deletedMs });
    },
    find: (id) => records.get(id),
    all: () => records.values(),
    ofParty(partyId) {
      const found: Opportunity[] = [];
      for (const id of idsByParty.get(partyId) ?? []) {
        const record = records.get(id);
        if (record !== undefined) found.push(record);
      }
      return found;
    },
    deleted: () => deleted,
  };
}
