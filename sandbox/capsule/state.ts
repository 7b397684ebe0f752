import {
  type FieldDefinition,
  type LostReason,
  type Milestone,
  type Party,
  type Pipeline,
  seedDefinitions,
  seedLostReasons,
  seedMilestones,
  seedParties,
  seedPipelines,
  seedTags,
  seedTeams,
  seedUsers,
  type Tag,
  type Team,
  type User,
} from './directory.ts';
import type { CapsuleOptions } from './options.ts';
import { createOpportunityStore, type OpportunityStore } from './store.ts';

/** Everything the account holds. Thrown away and seeded anew on reset. */
export type CapsuleState = {
  options: () => CapsuleOptions;
  users: Map<number, User>;
  teams: Map<number, Team>;
  parties: Map<number, Party>;
  pipelines: Map<number, Pipeline>;
  milestones: Map<number, Milestone>;
  lostReasons: Map<number, LostReason>;
  tags: Map<number, Tag>;
  definitions: Map<number, FieldDefinition>;
  opportunities: OpportunityStore;
  nextTagId: () => number;
  nextFieldRowId: () => number;
};

const FIRST_NEW_TAG_ID = 811;
const FIRST_FIELD_ROW_ID = 3_000_001;

export function createState(options: () => CapsuleOptions, nextNumber: () => number): CapsuleState {
  return {
    options,
    users: seedUsers(),
    teams: seedTeams(),
    parties: seedParties(),
    pipelines: seedPipelines(),
    milestones: seedMilestones(),
    lostReasons: seedLostReasons(),
    tags: seedTags(),
    definitions: seedDefinitions(),
    opportunities: createOpportunityStore(nextNumber),
    nextTagId: countFrom(FIRST_NEW_TAG_ID),
    nextFieldRowId: countFrom(FIRST_FIELD_ROW_ID),
  };
}

function countFrom(first: number): () => number {
  let next = first;
  return () => {
    next += 1;
    return next - 1;
  };
}
