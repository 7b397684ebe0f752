import type { FieldFailure, FieldFailureCode, Unsupported, Warning } from '../../domain/failure.ts';

/** What mapping one part of an opportunity contributes: keys of Salesforce's body and what is to be said about them. */
export type Draft = {
  body?: Record<string, unknown>;
  failures?: FieldFailure[];
  warnings?: Warning[];
  unsupported?: Unsupported[];
  /** True when a failure might be cured by reading the account's live values again. */
  staleFacts?: boolean;
};

/** All parts together; later bodies add to earlier ones. An import comes here for each of its rows, twice. */
export function joinDrafts(drafts: readonly Draft[]): Required<Draft> {
  const all: Required<Draft> = { body: {}, failures: [], warnings: [], unsupported: [], staleFacts: false };
  for (const { body, failures, warnings, unsupported, staleFacts } of drafts) {
    if (body) Object.assign(all.body, body);
    if (failures) all.failures.push(...failures);
    if (warnings) all.warnings.push(...warnings);
    if (unsupported) all.unsupported.push(...unsupported);
    all.staleFacts ||= staleFacts === true;
  }
  return all;
}

/** A draft of one failure. */
export function failed(pointer: string, message: string, code: FieldFailureCode = 'invalid_body'): Draft {
  return { failures: [{ pointer, code, message }] };
}
