import { z } from 'zod';

/** Bounds of one request; published in the OpenAPI document. */
export const BOUNDS = {
  contactsMax: 100,
  tagsMax: 100,
  customFieldsMax: 500,
  idCharsMax: 255,
  nameCharsMax: 2_000,
  descriptionCharsMax: 131_072,
  remoteDataDepthMax: 20,
  amountMax: 1e15,
} as const;

/** Text that survives JSON, Redis and every provider: no NUL, no half of a surrogate pair. */
function cleanText(max: number) {
  return z
    .string()
    .max(max)
    .refine((text) => text.isWellFormed(), { error: 'contains half of a surrogate pair; send valid Unicode' })
    .refine((text) => !text.includes('\u0000'), { error: 'contains a NUL character; remove it' });
}

const id = cleanText(BOUNDS.idCharsMax).min(1, { error: 'must not be empty; leave the field out instead' });

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Days of a month (1–12) in the Gregorian calendar. By arithmetic: a Date per field showed up in the accept profile. */
function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Whether `text` is a calendar date, or a date-time with offset, that exists (no 30 February, no 25 o'clock). */
export function isRealDate(text: string): boolean {
  const m = DATE.exec(text);
  if (!m) return false;
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  if (year < 1000 || month < 1 || month > 12 || day < 1) return false;
  if (day > daysIn(year, month)) return false;
  if (Number(m[4] ?? 0) > 23 || Number(m[5] ?? 0) > 59 || Number(m[6] ?? 0) > 59) return false;
  const offset = m[7];
  return !offset || offset === 'Z' || (Number(offset.slice(1, 3)) <= 14 && Number(offset.slice(4)) <= 59);
}

const date = z.string().refine(isRealDate, {
  error: 'must be a date that exists, as 2026-04-30 or 2026-04-30T12:00:00Z (with an offset)',
});

/** A JSON value nested at most `BOUNDS.remoteDataDepthMax` deep, its text clean. Returns what is wrong, or undefined. */
function findBadJson(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) return 'contains half of a surrogate pair; send valid Unicode';
    return value.includes('\u0000') ? 'contains a NUL character; remove it' : undefined;
  }
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : 'holds a number that is not finite';
  if (value === null || typeof value !== 'object') return undefined;
  if (depth >= BOUNDS.remoteDataDepthMax) return `is nested deeper than ${BOUNDS.remoteDataDepthMax} levels`;
  for (const [key, child] of Object.entries(value)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype')
      return `has the key "${key}", which is refused`;
    const bad = findBadJson(key, depth) ?? findBadJson(child, depth + 1);
    if (bad) return bad;
  }
  return undefined;
}

/** Any JSON value within the bounds. */
const json = z.unknown().superRefine((value, context) => {
  const bad = findBadJson(value, 1);
  if (bad) context.addIssue({ code: 'custom', message: bad });
});

const jsonObject = z.record(z.string().min(1).max(BOUNDS.idCharsMax), json);

/**
 * The unified opportunity as a caller sends it. Strict: a key that is not in the model is refused.
 * Dates are kept as written; amounts are in major units with at most 15 significant digits.
 */
export const OpportunityInput = z
  .strictObject({
    account: z
      .strictObject({ id })
      .optional()
      .meta({ description: 'The company the opportunity belongs to.' }),
    name: cleanText(BOUNDS.nameCharsMax).min(1).optional().meta({ description: 'Title of the opportunity.' }),
    amount: z
      .number()
      .nonnegative({ error: 'must not be negative; a provider that allows it takes it in remote_data' })
      .lt(BOUNDS.amountMax, { error: 'must be smaller than 1e15' })
      .optional()
      .meta({ description: 'Amount in major units of `currency`, at most 15 significant digits.' }),
    owner: z
      .strictObject({ id })
      .optional()
      .meta({ description: "The provider's user who owns the opportunity." }),
    close_date: date
      .optional()
      .meta({ description: 'Expected close date; the date part is used as written.' }),
    custom_fields: jsonObject
      .refine((fields) => Object.keys(fields).length <= BOUNDS.customFieldsMax, {
        error: `must have at most ${BOUNDS.customFieldsMax} keys`,
      })
      .optional()
      .meta({ description: "The provider's custom fields by id or API name." }),
    created_at: date
      .optional()
      .meta({ description: 'When the opportunity was created, if it is backdated.' }),
    description: cleanText(BOUNDS.descriptionCharsMax).optional(),
    contact: z.array(z.strictObject({ id })).max(BOUNDS.contactsMax).optional(),
    stage: z
      .strictObject({ id: id.optional(), name: cleanText(255).min(1).optional() })
      .optional()
      .meta({ description: 'Stage by `id`, or by `name` as the CRM shows it.' }),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, { error: 'must be an ISO 4217 code of three capital letters, as "EUR"' })
      .optional(),
    tags: z
      .array(z.strictObject({ id: id.optional(), name: cleanText(255).min(1).optional() }))
      .max(BOUNDS.tagsMax)
      .optional(),
    remote_data: jsonObject
      .optional()
      .meta({ description: "Merged last into the provider's body, untransformed; it wins." }),
  })
  .meta({ id: 'OpportunityInput' });
export type OpportunityInput = z.infer<typeof OpportunityInput>;

/** Every top-level field of the unified input, in the order of the documentation. */
export const UNIFIED_FIELDS = [
  'account',
  'name',
  'amount',
  'owner',
  'close_date',
  'custom_fields',
  'created_at',
  'description',
  'contact',
  'stage',
  'currency',
  'tags',
  'remote_data',
] as const;
export type UnifiedField = (typeof UNIFIED_FIELDS)[number];

/**
 * The unified opportunity as we answer it, read from the provider's own record.
 * A value the provider has no place for is absent in `unified` and `null` in `normalized`.
 */
export const Opportunity = z
  .object({
    id: z.string(),
    name: z.string().nullish(),
    description: z.string().nullish(),
    amount: z.number().nullish(),
    currency: z.string().nullish(),
    owner: z.object({ id: z.string() }).nullish(),
    account: z.object({ id: z.string(), name: z.string().nullish() }).nullish(),
    contact: z.array(z.object({ id: z.string() })).nullish(),
    stage: z.object({ id: z.string().nullish(), name: z.string().nullish() }).nullish(),
    status: z.enum(['open', 'won', 'lost']).nullish(),
    tags: z.array(z.object({ id: z.string().nullish(), name: z.string().nullish() })).nullish(),
    custom_fields: z.record(z.string(), z.unknown()).nullish(),
    last_activity_at: z.string().nullish(),
    close_date: z.string().nullish(),
    created_at: z.string().nullish(),
    updated_at: z.string().nullish(),
    remote_data: z.unknown().optional(),
  })
  .meta({ id: 'Opportunity' });
export type Opportunity = z.infer<typeof Opportunity>;
