import type { SandboxEnv } from '../core/provider.ts';
import { createEventLog, type EventLog } from './event-log.ts';
import { createIdMaker } from './ids.ts';
import type { CloseOptions } from './options.ts';
import {
  type Contact,
  type CustomField,
  type Lead,
  type Pipeline,
  type Status,
  seedContacts,
  seedCustomFields,
  seedLeads,
  seedPipelines,
  seedStatuses,
  seedUsers,
  type User,
} from './organisation.ts';
import { createOpportunityStore, type OpportunityStore } from './store.ts';

/** Everything the organisation holds. Thrown away and seeded anew on reset. */
export type CloseState = {
  options: () => CloseOptions;
  users: Map<string, User>;
  leads: Map<string, Lead>;
  contacts: Map<string, Contact>;
  pipelines: Map<string, Pipeline>;
  statuses: Map<string, Status>;
  customFields: Map<string, CustomField>;
  opportunities: OpportunityStore;
  events: EventLog;
  nextId: (kind: string) => string;
};

export function createState(
  { nowMs, nextNumber }: Pick<SandboxEnv, 'nowMs' | 'nextNumber'>,
  options: () => CloseOptions,
): CloseState {
  return {
    options,
    users: seedUsers(),
    leads: seedLeads(),
    contacts: seedContacts(),
    pipelines: seedPipelines(),
    statuses: seedStatuses(),
    customFields: seedCustomFields(),
    opportunities: createOpportunityStore(nowMs, options),
    events: createEventLog(nowMs, options),
    nextId: createIdMaker(nextNumber),
  };
}
