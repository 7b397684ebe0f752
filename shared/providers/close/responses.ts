import { z } from 'zod';

/** Only what we rely on; Close adds keys without notice. */

const text = z.string().nullish();

const opportunity = {
  id: z.string().min(1),
  lead_id: text,
  lead_name: text,
  contact_id: text,
  user_id: text,
  created_by: text,
  note: text,
  value: z.number().nullish(),
  value_currency: text,
  status_id: text,
  status_label: text,
  status_type: z.enum(['active', 'won', 'lost']).nullish().catch(null),
  date_won: text,
  date_created: text,
  date_updated: text,
};

/**
 * What is read of a record by name; custom fields are read off the record itself: every answer of a create is read by this.
 * @see https://developer.close.com/api/resources/opportunities/get
 */
export const CloseOpportunity = z.object(opportunity);

/** What `find` reads of a record, custom fields included; in an event it may be cut down to nothing. */
export const CloseRecord = z.looseObject(opportunity).partial();
export type CloseRecord = z.infer<typeof CloseRecord>;

/** Lists: some have neither `has_more` nor a total. */
export function closeList<T extends z.ZodType>(row: T) {
  return z.looseObject({ data: z.array(row), has_more: z.boolean().nullish() });
}

/** @see https://developer.close.com/api/resources/events */
export const CloseEvents = z.looseObject({
  data: z.array(
    z.looseObject({
      object_id: text,
      date_created: text,
      data: z.looseObject({}).nullish().catch(null),
    }),
  ),
  cursor_next: text,
});

export const CloseStatus = z.looseObject({
  id: z.string(),
  label: z.string(),
  type: z.enum(['active', 'won', 'lost']).catch('active'),
  pipeline_id: text,
  organization_id: text,
});

export const ClosePipeline = z.looseObject({ id: z.string(), name: z.string() });

/** @see https://developer.close.com/api/resources/custom-fields */
export const CloseCustomField = z.looseObject({
  id: z.string(),
  name: z.string(),
  type: z.string().catch('unknown'),
  accepts_multiple_values: z.boolean().nullish(),
  choices: z.array(z.string()).nullish().catch(null),
});
export type CloseCustomField = z.infer<typeof CloseCustomField>;

/** The schema of an object lists its own and the shared fields together. */
export const CloseFieldSchema = z.looseObject({
  fields: z.array(CloseCustomField).nullish(),
  data: z.array(CloseCustomField).nullish(),
});

export const CloseUser = z.looseObject({
  id: z.string(),
  first_name: text,
  last_name: text,
  display_name: text,
  email: text,
});
export type CloseUser = z.infer<typeof CloseUser>;

export const CloseMe = CloseUser.extend({
  organizations: z.array(z.looseObject({ id: z.string(), name: text })).nullish(),
});

export const CloseOrganization = z.looseObject({ id: z.string(), name: text, currency: text });
