import type { FieldFailure, Warning } from '../../domain/failure.ts';

/** What mapping one part of an opportunity contributes: keys of Salesforce's body and what is to be said about them. */
export type Draft = {
  body?: Record<string, unknown>;
  failures?: FieldFailure[];
  warnings?: Warning[];
  unsupported?: FieldFailure[];
  /** True when a failure might be cured by reading the account's live values again. */
  staleFacts?: boolean;
};

/** All parts together; later bodies add to earlier ones. */
export function joinDrafts(drafts: readonly Draft[]): Required<Draft> {
  return {
    body: Object.assign({}, ...drafts.map((draft) => draft.body ?? {})),
    failures: drafts.flatMap((draft) => draft.failures ?? []),
    warnings: drafts.flatMap((draft) => draft.warnings ?? []),
    unsupported: drafts.flatMap((draft) => draft.unsupported ?? []),
    staleFacts: drafts.some((draft) => draft.staleFacts === true),
  };
}

/** A draft of one failure. */
export function failed(pointer: string, message: string, code = 'invalid_body'): Draft {
  return { failures: [{ pointer, code, message }] };
}
