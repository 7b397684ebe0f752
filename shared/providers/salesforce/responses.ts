/** What this connector relies on in Salesforce's answers; everything else passes unread. */
import { z } from 'zod';

/** Answer to an insert or upsert of one record. */
export const SaveAnswer = z.looseObject({
  id: z.string().min(15),
  success: z.literal(true),
  created: z.boolean().optional(),
});
export type SaveAnswer = z.infer<typeof SaveAnswer>;

/** One error. Single calls say `errorCode`, results inside a 2xx say `statusCode`. */
export const ProviderError = z.looseObject({
  message: z.string().nullish(),
  errorCode: z.string().optional(),
  statusCode: z.string().optional(),
  fields: z.array(z.string()).nullish().catch(undefined),
});

/** One row of a collections answer; a failed one has no `id` at all. */
export const CollectionsItem = z.looseObject({
  id: z.string().nullish(),
  success: z.boolean(),
  created: z.boolean().optional(),
  errors: z.array(z.unknown()).nullish(),
});
export type CollectionsItem = z.infer<typeof CollectionsItem>;

const role = z.looseObject({ ContactId: z.string().nullish(), IsPrimary: z.boolean().nullish() });

const text = z.string().nullish().catch(undefined);
const flag = z.boolean().nullish().catch(undefined);

/** An Opportunity as the API gives it; fields the user may not see are absent. */
export const OpportunityRecord = z.looseObject({
  Id: text,
  id: text,
  Name: text,
  Description: text,
  Amount: z.number().nullish().catch(undefined),
  CurrencyIsoCode: text,
  OwnerId: text,
  AccountId: text,
  Account: z.looseObject({ Id: text, Name: text }).nullish().catch(undefined),
  ContactId: text,
  OpportunityContactRoles: z
    .looseObject({ records: z.array(role) })
    .nullish()
    .catch(undefined),
  StageName: text,
  IsClosed: flag,
  IsWon: flag,
  LastActivityDate: text,
  CloseDate: text,
  CreatedDate: text,
  LastModifiedDate: text,
  SystemModstamp: text,
});
export type OpportunityRecord = z.infer<typeof OpportunityRecord>;

/** A page of a SOQL query whose rows look like `row`. */
export function queryAnswer<Row extends z.ZodType>(row: Row) {
  return z.looseObject({ totalSize: z.number(), done: z.boolean(), records: z.array(row) });
}

/** `httpHeaders` of a subrequest are not used. */
export const CompositeAnswer = z.looseObject({
  compositeResponse: z.array(
    z.looseObject({ body: z.unknown(), httpStatusCode: z.number(), referenceId: z.string() }),
  ),
});

const picklistValue = z.looseObject({
  active: z.boolean(),
  label: z.string().nullish(),
  value: z.string(),
});

export const FieldDescribe = z.looseObject({
  name: z.string(),
  label: z.string(),
  type: z.string(),
  createable: z.boolean(),
  custom: z.boolean(),
  externalId: z.boolean().optional(),
  unique: z.boolean().optional(),
  length: z.number().optional(),
  restrictedPicklist: z.boolean().optional(),
  picklistValues: z.array(picklistValue).nullish(),
});
export type FieldDescribe = z.infer<typeof FieldDescribe>;

export const ObjectDescribe = z.looseObject({ fields: z.array(FieldDescribe) });

export const StageRow = z.looseObject({
  ApiName: z.string(),
  MasterLabel: z.string(),
  IsActive: z.boolean(),
  IsClosed: z.boolean(),
  IsWon: z.boolean(),
});

export const UserRow = z.looseObject({
  Id: z.string(),
  Name: z.string().nullish(),
  Email: z.string().nullish(),
});

export const OrganizationRow = z.looseObject({
  Id: z.string(),
  Name: z.string().nullish(),
  DefaultCurrencyIsoCode: z.string().nullish(),
});

/** `identity` ends in `/id/{organisation}/{user}`. */
export const VersionResources = z.looseObject({ identity: z.string().optional() });

/** OpenID Connect user info, as far as it tells ids. */
export const UserInfo = z.looseObject({ user_id: z.string(), organization_id: z.string().optional() });

export const TokenAnswer = z.looseObject({
  access_token: z.string().min(1),
  instance_url: z.string().optional(),
  refresh_token: z.string().optional(),
});

/** RFC 6749 §5.2. */
export const TokenError = z.looseObject({ error: z.string(), error_description: z.string().optional() });
