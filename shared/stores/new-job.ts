import type { JobRecord } from '../domain/job.ts';
import type { AcceptInput } from './job-moves.ts';

/** A record as it is accepted. */
export function newJobRecord(
  id: string,
  input: AcceptInput,
  idempotencyHash: string | undefined,
  nowMs: number,
): JobRecord {
  return {
    id,
    schemaVersion: 1,
    workspace: input.workspace,
    account: input.account,
    provider: input.provider,
    status: 'queued',
    sequence: 1,
    generation: 1,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    request: input.request,
    appliedDefaults: input.appliedDefaults,
    warnings: input.warnings,
    idempotencyKey: input.idempotency?.key,
    idempotencyHash,
    requestId: input.requestId,
    traceparent: input.traceparent,
    callbackUrl: input.callbackUrl,
    importId: input.importId,
    rowEvents: input.rowEvents,
    attempts: [],
    attemptNumber: 0,
    attemptsSpent: 0,
    limitHits: 0,
    heldBaseMs: 0,
    unknownSends: [],
    probes: 0,
    epoch: 0,
    followUps: {},
    candidates: [],
    corrections: 0,
    faults: 0,
  };
}
