import type { MarkerSetting } from '../../shared/domain/integrated-account.ts';
import type { JobRecord } from '../../shared/domain/job.ts';
import type { Account } from '../../shared/stores/account-store.ts';

export const TIMEOUT_MS = 1_500;
export const SETTLE_MS = 3_000;
/** Latest moment after the call at which a lost create can still commit. */
export const LATEST_COMMIT_MS = TIMEOUT_MS + SETTLE_MS - 1;
/** What both jobs ask for. */
export const CONTENT = { name: 'Annual License' };

export function anAccount(marker: MarkerSetting | undefined): Account {
  const settings = {
    marker,
    timeout_ms: TIMEOUT_MS,
    reconcile: { settle_ms: SETTLE_MS, probes: 3 },
    retry: { max_attempts: 100 },
    read_back: false,
  };
  // What the writer never looks at is left out.
  return {
    id: 'acc',
    workspace: 'default',
    provider: 'close',
    status: 'active',
    credentialsVersion: 1,
    settings,
    heldMs: 0,
  } as unknown as Account;
}

export function aJob(id: string, account: string, nowMs: number): JobRecord {
  return {
    id,
    schemaVersion: 1,
    workspace: 'default',
    account,
    provider: 'close',
    status: 'queued',
    sequence: 1,
    generation: 1,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    request: { query: { response_format: 'unified' }, body: CONTENT },
    appliedDefaults: {},
    warnings: [],
    attempts: [],
    attemptNumber: 0,
    attemptsSpent: 0,
    limitHits: 0,
    heldBaseMs: 0,
    unknownSends: [],
    epoch: 0,
    probes: 0,
    followUps: {},
    candidates: [],
    corrections: 0,
    faults: 0,
  };
}
