import type { JobView } from './job-view.ts';

/** A job as it is right after its accept; used wherever the OpenAPI document shows one. */
export const JOB_EXAMPLE: JobView = {
  id: '019b0c7e-6d1f-7a53-9c41-5f2e8a7d0b2a',
  object: 'job',
  status: 'queued',
  provider: 'salesforce',
  integrated_account_id: '62f44730-dd91-461e-bd6a-aedd9e0ad79d',
  import_id: null,
  resource: 'crm/opportunities',
  method: 'create',
  created_at: '2026-01-15T09:30:00.000Z',
  updated_at: '2026-01-15T09:30:00.000Z',
  finished_at: null,
  next_attempt_at: null,
  wait_reason: null,
  warnings: [],
  applied_defaults: { stage: { name: 'Prospecting' } },
  idempotency_key: 'order-1001',
  request: { query: { truto_response_format: 'unified' }, body: { name: 'Acme: 50 seats', amount: 12_500 } },
  attempts: [],
  marker: '019b0c7e-6d1f-7a53-9c41-5f2e8a7d0b2a',
  sequence: 1,
  result: null,
  error: null,
};
