import type { Opportunity } from './opportunity.ts';

type Change = { atMs: number; id: string; leadId: string; record: Opportunity | undefined };

/** What a list sees: the records as they were one lag ago. */
export type LaggedIndex = {
  note(change: Change): void;
  find(id: string): Opportunity | undefined;
  all(): Iterable<Opportunity>;
  ofLead(leadId: string): Opportunity[];
};

/** Taken changes are cut off the queue in blocks, since cutting one off the front costs as much as cutting many. */
const QUEUE_BLOCK = 4096;

/**
 * Close answers lists from an index that is 30 to 60 seconds behind: new records are missing, changed ones show
 * their old values, deleted ones are still there. The lag is read when asked, so changing it works at once.
 */
export function createLaggedIndex(nowMs: () => number, lagMs: () => number): LaggedIndex {
  const records = new Map<string, Opportunity>();
  const idsByLead = new Map<string, Set<string>>();
  let queue: Change[] = [];
  let taken = 0;

  function apply(change: Change): void {
    if (change.record === undefined) {
      records.delete(change.id);
      idsByLead.get(change.leadId)?.delete(change.id);
      return;
    }
    records.set(change.id, change.record);
    const ids = idsByLead.get(change.leadId);
    if (ids === undefined) idsByLead.set(change.leadId, new Set([change.id]));
    else ids.add(change.id);
  }

  function catchUp(): void {
    const visibleMs = nowMs() - lagMs();
    for (let change = queue[taken]; change !== undefined && change.atMs <= visibleMs; change = queue[taken]) {
      apply(change);
      taken += 1;
    }
    if (taken >= QUEUE_BLOCK) {
      queue = queue.slice(taken);
      taken = 0;
    }
  }

  return {
    note(change) {
      queue.push(change);
      catchUp();
    },
    find(id) {
      catchUp();
      return records.get(id);
    },
    all() {
      catchUp();
      return records.values();
    },
    ofLead(leadId) {
      catchUp();
      const found: Opportunity[] = [];
      for (const id of idsByLead.get(leadId) ?? []) {
        const record = records.get(id);
        if (record !== undefined) found.push(record);
      }
      return found;
    },
  };
}
