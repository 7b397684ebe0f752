import { z } from 'zod';

/** Only what we rely on; Capsule adds keys without notice. */

const text = z.string().nullish();
const id = z.int().nonnegative();
const named = z.looseObject({ id, name: text }).nullish();

/** A person has `firstName` and `lastName` instead of `name`. */
export const CapsuleParty = z.looseObject({
  id,
  type: text,
  name: text,
  firstName: text,
  lastName: text,
});
export type CapsuleParty = z.infer<typeof CapsuleParty>;

/** @see https://developer.capsulecrm.com/v2/models/field_value */
export const CapsuleField = z.looseObject({
  definition: z.looseObject({ id, name: text }),
  value: z.unknown().optional(),
});

/** `tags` and `fields` are there only when embedded. @see https://developer.capsulecrm.com/v2/models/opportunity */
export const CapsuleOpportunity = z.looseObject({
  id,
  name: text,
  description: text,
  owner: named,
  party: CapsuleParty.nullish(),
  milestone: named,
  value: z.looseObject({ amount: z.coerce.number().nullish(), currency: text }).nullish(),
  probability: z.number().nullish().catch(null),
  expectedCloseOn: text,
  closedOn: text,
  createdAt: text,
  updatedAt: text,
  lastContactedAt: text,
  tags: z.array(z.looseObject({ id, name: text })).nullish(),
  fields: z.array(CapsuleField).nullish(),
});
export type CapsuleOpportunity = z.infer<typeof CapsuleOpportunity>;

export const CapsuleEnvelope = z.looseObject({
  opportunity: CapsuleOpportunity,
  /** Not Capsule's: `readBack` puts the further contacts beside the record. */
  parties: z.array(CapsuleParty).nullish(),
});

export const CapsuleErrors = z.looseObject({
  errors: z
    .array(z.looseObject({ message: text, resource: text, field: text }))
    .nullish()
    .catch(null),
});

export const CapsulePipeline = z.looseObject({ id, name: z.string() });
/** @see https://developer.capsulecrm.com/v2/models/milestone */
export const CapsuleMilestone = z.looseObject({
  id,
  name: z.string(),
  complete: z.boolean().nullish(),
  probability: z.number().nullish(),
});
export const CapsuleDefinition = z.looseObject({
  id,
  name: z.string(),
  type: z.string().catch('text'),
  options: z.array(z.string()).nullish().catch(null),
});
export type CapsuleDefinition = z.infer<typeof CapsuleDefinition>;
export const CapsuleUser = z.looseObject({ id, name: text, username: text, email: text });
export type CapsuleUser = z.infer<typeof CapsuleUser>;
export const CapsuleCurrentUser = z.looseObject({ user: CapsuleUser });

/** The rows are described nowhere; `codeOf` looks for the code. */
export const CapsuleCurrency = z.unknown();
