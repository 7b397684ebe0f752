import type { ValuePeriod } from './money.ts';
import type { Status } from './organisation.ts';

/** What is stored: the facts. Names and computed values are added when a record is shown. */
export type Opportunity = {
  readonly id: string;
  readonly leadId: string;
  readonly contactId: string | null;
  readonly userId: string;
  readonly createdBy: string;
  readonly updatedBy: string;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly dateWon: string | null;
  readonly dateLost: string | null;
  readonly status: Status;
  readonly value: number | null;
  readonly valuePeriod: ValuePeriod;
  readonly confidence: number;
  readonly note: string | null;
  readonly attachments: readonly unknown[];
  readonly custom: Readonly<Record<string, unknown>>;
};
