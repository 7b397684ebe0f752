import type { Milestone, Tag } from './directory.ts';

export type Value = { readonly amount: number | null; readonly currency: string | null };
export type DurationBasis = 'FIXED' | 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'QUARTER' | 'YEAR';
export const DURATION_BASES: readonly DurationBasis[] = [
  'FIXED',
  'HOUR',
  'DAY',
  'WEEK',
  'MONTH',
  'QUARTER',
  'YEAR',
];

/** One set custom field. */
export type FieldRow = {
  readonly id: number;
  readonly definitionId: number;
  readonly value: string | boolean;
};

/** What is stored; a change makes a new object. */
export type Opportunity = {
  readonly id: number;
  readonly name: string;
  readonly description: string | null;
  readonly ownerId: number | null;
  readonly teamId: number | null;
  readonly partyId: number;
  /** Additional parties, in the order they were added. */
  readonly otherPartyIds: readonly number[];
  readonly milestone: Milestone;
  readonly lastOpenMilestone: Milestone | null;
  readonly lostReasonId: number | null;
  readonly value: Value | null;
  readonly probability: number;
  readonly durationBasis: DurationBasis;
  readonly duration: number | null;
  readonly expectedCloseOn: string | null;
  readonly closedOn: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly stageChangedMs: number;
  readonly tags: readonly Tag[];
  readonly fields: readonly FieldRow[];
};
