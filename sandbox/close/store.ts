import { createLaggedIndex, type LaggedIndex } from './lagged-index.ts';
import type { Opportunity } from './opportunity.ts';
import type { CloseOptions } from './options.ts';

/** The opportunities themselves, and the two indexes that follow them. */
export type OpportunityStore = {
  /** Stores a new record or a new version of one. */
  commit(record: Opportunity): void;
  remove(record: Opportunity): void;
  /** The record as it is now; for writing. */
  findLive(id: string): Opportunity | undefined;
  /** The record as a read sees it: right after a delete the old one still answers. */
  findReadable(id: string): Opportunity | undefined;
  list: LaggedIndex;
  search: LaggedIndex;
  /** All live records in creation order. */
  all(): Iterable<Opportunity>;
};

/** Text search follows later than lists do. */
const SEARCH_LAG_FACTOR = 2;

export function createOpportunityStore(nowMs: () => number, options: () => CloseOptions): OpportunityStore {
  // A Map keeps the place of a key that is set again, so the order stays that of creation.
  const live = new Map<string, Opportunity>();
  const list = createLaggedIndex(nowMs, () => options().listLagMs);
  const search = createLaggedIndex(
    nowMs,
    () => options().searchLagMs ?? options().listLagMs * SEARCH_LAG_FACTOR,
  );

  function noteChange(id: string, leadId: string, record: Opportunity | undefined): void {
    const change = { atMs: nowMs(), id, leadId, record };
    list.note(change);
    search.note(change);
  }

  return {
    commit(record) {
      live.set(record.id, record);
      noteChange(record.id, record.leadId, record);
    },
    remove(record) {
      live.delete(record.id);
      noteChange(record.id, record.leadId, undefined);
    },
    findLive: (id) => live.get(id),
    findReadable: (id) => live.get(id) ?? list.find(id),
    list,
    search,
    all: () => live.values(),
  };
}
