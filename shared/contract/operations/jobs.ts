import { z } from 'zod';
import { JOB_STATUSES } from '../../domain/job.ts';
import { OpportunityInput } from '../../domain/opportunity.ts';
import { CreateOptions } from '../create-query.ts';
import { JOB_EXAMPLE } from '../examples.ts';
import { JobView } from '../job-view.ts';
import { defineOperation } from '../operation.ts';
import { queryInteger, queryList, queryTime, queryUuid } from '../query-types.ts';

const JobParams = z.object({ id: z.string().max(64).meta({ description: 'Id of the job.' }) });
const Wait = queryInteger(0, 60, 'Seconds to wait until the job has ended or needs review.').optional();
const status = z.enum(JOB_STATUSES);

const oneJob = (description: string) => ({ description, schema: JobView, example: JOB_EXAMPLE });
/** Answered after the job was moved. */
const movedJob = (description: string) => ({
  ...oneJob(description),
  headers: { Location: 'Path of the job.' },
});

export const getJob = defineOperation({
  id: 'getJob',
  method: 'get',
  path: '/jobs/{id}',
  tag: 'Jobs',
  summary: 'Read a job',
  scope: 'jobs:read',
  params: JobParams,
  query: z.strictObject({ wait: Wait }),
  responses: { 200: oneJob('The job as it is now, or as it is once the wait is over.') },
});

export const listJobs = defineOperation({
  id: 'listJobs',
  method: 'get',
  path: '/jobs',
  tag: 'Jobs',
  summary: 'List jobs, newest first',
  scope: 'jobs:read',
  query: z.strictObject({
    status: queryList(status, 20, 'One or several statuses: `status=failed,cancelled`.', 1).optional(),
    integrated_account_id: queryUuid('Jobs of one integrated account.').optional(),
    import_id: z.string().min(1).max(64).optional().meta({ description: 'Rows of one import.' }),
    idempotency_key: z.string().min(1).max(255).optional().meta({ description: 'The job of this key.' }),
    created_after: queryTime('Jobs created after this moment.').optional(),
    cursor: z.string().min(1).max(200).optional().meta({ description: '`next_cursor` of the page before.' }),
    limit: queryInteger(1, 200, 'Jobs per page. Default 50.').optional(),
  }),
  responses: {
    200: {
      description: 'One page.',
      schema: z
        .object({ object: z.literal('list'), data: z.array(JobView), next_cursor: z.string().nullable() })
        .meta({ id: 'JobList' }),
      example: { object: 'list', data: [JOB_EXAMPLE], next_cursor: null },
    },
  },
  errors: ['not_found'],
});

export const cancelJob = defineOperation({
  id: 'cancelJob',
  method: 'post',
  path: '/jobs/{id}/cancel',
  tag: 'Jobs',
  summary: 'Cancel a job that has not started',
  scope: 'jobs:write',
  params: JobParams,
  responses: { 200: movedJob('Cancelled.') },
  errors: ['conflict', 'job_already_started'],
});

export const retryJob = defineOperation({
  id: 'retryJob',
  method: 'post',
  path: '/jobs/{id}/retry',
  tag: 'Jobs',
  summary: 'Retry a failed or cancelled job, corrected if need be',
  description:
    'Keeps history and marker: if an earlier attempt did write the record, it is found, not doubled.',
  scope: 'jobs:write',
  params: JobParams,
  body: z.strictObject({
    body: OpportunityInput.optional().meta({ description: 'Replaces the whole body of the request.' }),
    query: CreateOptions.optional().meta({ description: 'Replaces the options named here.' }),
  }),
  bodyOptional: true,
  bodyExample: { body: { name: 'Acme: 50 seats', stage: { name: 'Proposal' } } },
  responses: { 202: movedJob('Queued again.') },
  errors: [
    'missing_required_fields',
    'unsupported_field',
    'stage_not_found',
    'stage_ambiguous',
    'custom_field_not_found',
    'conflict',
    'job_not_retryable',
    'job_needs_resolve',
  ],
});

const retryable = z.enum(['failed', 'cancelled']);
const RETRY_STATUS = 'One or both. Default `failed`.';
const RETRY_CODE = 'Only these error codes.';
const RETRY_LIMIT = 'Jobs looked at. Default 200.';
/** What a filter takes alike in the body and in the query. */
const RetryFilter = z.strictObject({
  integrated_account_id: queryUuid('Jobs of one integrated account.').optional(),
  import_id: z.string().min(1).max(64).optional(),
  created_after: queryTime('Jobs created after this moment.').optional(),
  cursor: z.string().min(1).max(200).optional(),
});

export const retryJobs = defineOperation({
  id: 'retryJobs',
  method: 'post',
  path: '/jobs/retry',
  tag: 'Jobs',
  summary: 'Retry many jobs by filter',
  description:
    'The filter may stand in the body or in the query; what is named in both, the body decides. Newest first, at most `limit` a call; repeat with `next_cursor`. Never touches `needs_review`.',
  scope: 'jobs:write',
  query: RetryFilter.extend({
    status: queryList(retryable, 2, RETRY_STATUS, 1).optional(),
    code: queryList(z.string().max(64), 50, RETRY_CODE, 1).optional(),
    limit: queryInteger(1, 1_000, RETRY_LIMIT).optional(),
  }),
  body: RetryFilter.extend({
    status: z.array(retryable).min(1).optional().meta({ description: RETRY_STATUS }),
    code: z.array(z.string().max(64)).min(1).max(50).optional().meta({ description: RETRY_CODE }),
    limit: z.int().min(1).max(1_000).optional().meta({ description: RETRY_LIMIT }),
  }),
  bodyOptional: true,
  bodyExample: { status: ['failed'], code: ['attempts_exhausted'] },
  responses: {
    202: {
      description: 'Queued again.',
      schema: z
        .object({
          object: z.literal('bulk_retry'),
          retried: z.int(),
          skipped: z
            .int()
            .meta({ description: 'Looked at, but not retried (another code, or changed meanwhile).' }),
          job_ids: z.array(z.string()),
          next_cursor: z.string().nullable(),
        })
        .meta({ id: 'BulkRetry' }),
      example: { object: 'bulk_retry', retried: 1, skipped: 0, job_ids: [JOB_EXAMPLE.id], next_cursor: null },
    },
  },
  errors: ['not_found'],
});

export const retryFollowUps = defineOperation({
  id: 'retryFollowUps',
  method: 'post',
  path: '/jobs/{id}/retry-follow-ups',
  tag: 'Jobs',
  summary: 'Repeat the follow-up calls that failed',
  description: 'The record itself is never written again.',
  scope: 'jobs:write',
  params: JobParams,
  responses: { 202: movedJob('Queued again for its follow-up calls.') },
  errors: ['conflict'],
});

export const resolveJob = defineOperation({
  id: 'resolveJob',
  method: 'post',
  path: '/jobs/{id}/resolve',
  tag: 'Jobs',
  summary: "Decide about a job in needs_review: a person's word",
  scope: 'jobs:write',
  params: JobParams,
  body: z.union(
    [
      z.strictObject({ remote_id: z.string().min(1).max(255) }),
      z.strictObject({ not_created: z.literal(true) }),
    ],
    { error: 'must be {"remote_id": "…"} or {"not_created": true}' },
  ),
  bodyExample: { remote_id: '0065g00000AbCdEAAV' },
  responses: { 200: movedJob('Succeeded with the named record, or queued again with the same marker.') },
  errors: [
    'conflict',
    'job_not_in_review',
    'provider_not_found',
    'provider_forbidden',
    'account_needs_reauth',
    'provider_rate_limited',
    'provider_unavailable',
    'query_timed_out',
  ],
});
