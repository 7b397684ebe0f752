import { z } from 'zod';
import { ON_UNSUPPORTED } from '../domain/integrated-account.ts';
import type { JobRequest } from '../domain/job.ts';
import { queryBoolean, queryList, queryUuid } from './query-types.ts';

/** A field to leave out of the answer; dots lead into it. */
const fieldName = z.string().max(255);

/** Nested text, as bracket syntax gives it. */
const remoteQuery = z
  .record(z.string().min(1).max(255), z.unknown(), {
    error: 'must be an object: remote_query[foo]=bar, or remote_query[foo][bar]=baz',
  })
  .meta({
    description: "Passed on untransformed in the provider's query string: `remote_query[foo][bar]=baz`.",
    openapi: { type: 'object', additionalProperties: true },
  });

/** Options of a create that its job keeps; a retry may change them. */
export const CreateOptions = z.strictObject({
  truto_response_format: z
    .enum(['unified', 'raw', 'normalized'])
    .optional()
    .meta({
      description: 'Format of the result. Default `unified`.',
      openapi: { type: 'string', enum: ['unified', 'raw', 'normalized'], default: 'unified' },
    }),
  truto_ignore_remote_data: queryBoolean('Leaves `remote_data` out of the result.').optional(),
  truto_exclude_fields: queryList(
    fieldName,
    200,
    'Fields to leave out of the result: `truto_exclude_fields[]=id&truto_exclude_fields[]=owner.id`, or comma-separated.',
  ).optional(),
  remote_query: remoteQuery.optional(),
  on_unsupported: z.enum(ON_UNSUPPORTED).optional().meta({
    description:
      "What to do with a field the provider has no place for. Default: the account's setting, else `warn`.",
  }),
});
export type CreateOptions = z.infer<typeof CreateOptions>;

/** The whole query of a create. */
export const CreateQuery = CreateOptions.extend({
  integrated_account_id: queryUuid('The integrated account to write to.'),
  dry_run: queryBoolean('Shows what would be sent; nothing is stored or sent.').optional(),
  callback_url: z
    .url({ protocol: /^https?$/, error: 'must be an absolute URL' })
    .max(2_000)
    .optional()
    .meta({ description: 'Receives one signed event when the job has ended or needs review.' }),
});
export type CreateQuery = z.infer<typeof CreateQuery>;

/** Options as the job keeps them; only what was given. */
export function toJobOptions(options: Partial<CreateOptions>): Partial<JobRequest['query']> {
  const {
    truto_response_format,
    truto_ignore_remote_data,
    truto_exclude_fields,
    remote_query,
    on_unsupported,
  } = options;
  return {
    ...(truto_response_format === undefined ? {} : { response_format: truto_response_format }),
    ...(truto_ignore_remote_data ? { ignore_remote_data: true } : {}),
    ...(truto_exclude_fields && truto_exclude_fields.length > 0
      ? { exclude_fields: truto_exclude_fields }
      : {}),
    ...(remote_query === undefined ? {} : { remote_query }),
    ...(on_unsupported === undefined ? {} : { on_unsupported }),
  };
}
