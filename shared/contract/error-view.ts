import { z } from 'zod';
import type { JobError } from '../domain/job.ts';
import { FIELD_CODES } from '../field-codes.ts';

/** The one shape of every answer that is no success, and of `job.error`, whose `request_id` is that of the request that made the job. */
export const ErrorView = z
  .object({
    statusCode: z.int(),
    error: z.string().meta({ description: 'Reason phrase of the status.' }),
    message: z.string(),
    code: z.string().meta({ description: 'From the published catalogue; never renamed.' }),
    retryable: z.boolean().meta({ description: 'Whether the same request may succeed later.' }),
    details: z
      .object({
        failures: z.array(
          z.object({
            pointer: z.string().meta({ description: 'JSON pointer to the field, as `/stage/name`.' }),
            code: z.string().meta({
              description: `From the same catalogue, or one of ${Object.keys(FIELD_CODES).join(', ')}.`,
            }),
            message: z.string(),
          }),
        ),
      })
      .optional(),
    request_id: z.string(),
    job_id: z.string().optional(),
    truto_is_remote_error: z.boolean().optional(),
    raw_response: z.unknown().optional().meta({ description: "The provider's answer as it came." }),
    truto_error_insight: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Error' });
export type ErrorView = z.infer<typeof ErrorView>;

/**
 * The error of something that was accepted before. Whoever asks later learns of the request that made it, not of the one that reads it;
 * `requestId` is missing only of records from before it was kept.
 */
export function viewKeptError(error: JobError | undefined, requestId = '', jobId?: string): ErrorView | null {
  if (error === undefined) return null;
  return { ...error, request_id: requestId, ...(jobId === undefined ? {} : { job_id: jobId }) };
}
