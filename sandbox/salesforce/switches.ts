import { z } from 'zod';

const ValidationRule = z.strictObject({
  message: z.string().default('Amount must not be negative'),
  field: z.string().default('Amount'),
  /** The rule fails a record whose value is below / above / equal / empty. */
  below: z.number().optional(),
  above: z.number().optional(),
  equals: z.union([z.string(), z.number(), z.boolean()]).optional(),
  empty: z.boolean().optional(),
  /** Field the error is shown at; absent: the page, so `fields` is empty. */
  error_field: z.string().optional(),
});
export type ValidationRule = z.infer<typeof ValidationRule>;

const DuplicateRule = z.strictObject({
  /** True: an alert that `allowSave=true` passes. False: a block. */
  allow_save: z.boolean().default(true),
  match: z.array(z.string()).min(1).default(['Name', 'AccountId']),
});

const Switches = z.strictObject({
  multi_currency: z.boolean(),
  restricted_stage: z.boolean(),
  audit_fields: z.boolean(),
  topics: z.boolean(),
  classic_tags: z.boolean(),
  /** Columns hidden by field-level security, `Field` of Opportunity or `Object.Field`. */
  hidden_fields: z.array(z.string()),
  /** Columns readable but not writable for the calling user. */
  read_only_fields: z.array(z.string()),
  token_rotation: z.boolean(),
  token_ttl_s: z.number().positive(),
  /** How many token calls answer the transient `unknown_error` first. */
  token_unknown_errors: z.int().min(0),
  /** `instance_url` of token replies; null: the sandbox's own address. */
  instance_url: z.string().nullable(),
  /** PEM (SPKI) that JWT bearer assertions must be signed for; null: signatures are not checked. */
  jwt_public_key: z.string().nullable(),
  validation_rule: z
    .union([z.literal(false), z.literal(true), ValidationRule, z.array(ValidationRule)])
    .transform((rule): ValidationRule[] => {
      if (rule === false) return [];
      if (rule === true) return [{ ...ValidationRule.parse({}), below: 0, error_field: 'Amount' }];
      return Array.isArray(rule) ? rule : [rule];
    }),
  duplicate_rule: z
    .union([z.literal(false), z.literal(true), DuplicateRule])
    .transform((rule) => (rule === true ? DuplicateRule.parse({}) : rule)),
  stale_limit_info: z.boolean(),
  daily_limit: z.int().positive(),
  /** Message of REQUEST_LIMIT_EXCEEDED; null: chosen by how long the limit lasts. */
  limit_message: z
    .enum(['TotalRequests', 'ConcurrentRequests', 'ConcurrentPerOrgLongTxn', 'ConcurrentPerOrgApex'])
    .nullable(),
  external_id_race: z.boolean(),
  /** Status of UNABLE_TO_LOCK_ROW; null: 400 and 500 in turn. */
  lock_status: z.union([z.literal(400), z.literal(500)]).nullable(),
  /** How many record writes fail with UNABLE_TO_LOCK_ROW, wherever they come from. */
  lock_next: z.int().min(0),
  /** Status of an all-or-none collections create that rolled back. */
  all_or_none_status: z.union([z.literal(200), z.literal(400)]),
  /** How long a Bulk 2.0 job waits: half of it queued, half in progress before its first chunk. */
  bulk_delay_ms: z.number().min(0),
  /** Pause after each chunk of 200 rows of a Bulk 2.0 job. */
  bulk_chunk_ms: z.number().min(0),
  /** The next Bulk 2.0 job fails as a whole after this many rows; null: none does. */
  bulk_fail_after_rows: z.int().min(0).nullable(),
  /** Batches of 10,000 rows that all Bulk 2.0 jobs together may take; what is beyond is in no result file. */
  bulk_batches: z.int().min(0),
  api_enabled: z.boolean(),
});
export type Switches = z.infer<typeof Switches>;

export const defaultSwitches: Switches = {
  multi_currency: false,
  restricted_stage: false,
  audit_fields: false,
  topics: false,
  classic_tags: false,
  hidden_fields: [],
  read_only_fields: [],
  token_rotation: false,
  token_ttl_s: 7_200,
  token_unknown_errors: 0,
  instance_url: null,
  jwt_public_key: null,
  validation_rule: [],
  duplicate_rule: false,
  stale_limit_info: true,
  daily_limit: 5_000_000,
  limit_message: null,
  external_id_race: true,
  lock_status: null,
  lock_next: 0,
  all_or_none_status: 200,
  bulk_delay_ms: 200,
  bulk_chunk_ms: 0,
  bulk_fail_after_rows: null,
  bulk_batches: 15_000,
  api_enabled: true,
};

/** The stated switches, checked. Throws an Error that names each bad one. */
export function parseSwitches(options: Record<string, unknown>): Partial<Switches> {
  const result = Switches.partial().safeParse(options);
  if (result.success) return result.data;
  throw new Error(
    result.error.issues
      .map((issue) => {
        const names = issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.');
        return `${names}: ${issue.message}`;
      })
      .join('; '),
  );
}
