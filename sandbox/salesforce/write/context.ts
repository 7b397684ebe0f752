import type { Store } from '../data/store.ts';
import type { Org } from '../schema/org.ts';
import type { Switches } from '../switches.ts';
import type { Source } from './coerce.ts';

/** The org while one call is handled. */
export type OrgState = {
  org: Org;
  store: Store;
  switches: Switches;
  nowMs: () => number;
  /** Number of the latest call that has begun. */
  lastCallNumber: () => number;
};

/** Who writes, and how. */
export type WriteContext = OrgState & {
  userId: string;
  source: Source;
  /** `Sforce-Duplicate-Rule-Header: allowSave=true`. */
  allowDuplicates: boolean;
  /** The call the write belongs to; Infinity for work that no call waits for. */
  callNumber: number;
  /** Does the next record meet a locked row? Set by a fault. */
  isRowLocked?: () => boolean;
};
