import { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { Call, Followed, FollowUp } from '../port.ts';
import { classify } from './failures.ts';
import { dataPath } from './paths.ts';
import { notLooked, query } from './reads.ts';
import { soqlText } from './soql.ts';

const RoleData = z.object({ contactId: z.string(), isPrimary: z.boolean() });

/**
 * {@link ProviderClient.followUp}: one contact role. It is looked for first, because Salesforce takes the same role twice.
 * @see https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunitycontactrole.htm
 */
export async function followUp(
  call: Call,
  remoteId: string,
  { data }: FollowUp,
  settings: AccountSettings,
): Promise<Followed> {
  const { contactId, isPrimary } = RoleData.parse(data);
  const soql = `SELECT Id FROM OpportunityContactRole WHERE OpportunityId = ${soqlText(remoteId)} AND ContactId = ${soqlText(contactId)} LIMIT 1`;
  const present = await query(call, settings, { soql, row: z.looseObject({}), purpose: 'look_up' });
  if (!present.ok) return present;
  if (present.value.records.length > 0) return { ok: true, value: undefined };

  const request = {
    method: 'POST',
    path: dataPath(settings, 'sobjects', 'OpportunityContactRole'),
    body: { OpportunityId: remoteId, ContactId: contactId, IsPrimary: isPrimary },
    purpose: 'follow_up',
  } as const;
  const result = await call(request);
  if (result.kind === 'unanswered') return { ...notLooked(result), mayHaveRun: true };
  if (result.kind !== 'answered') return notLooked(result);
  // Read as the answer to a create, which it is: repeated while the first is still being written, it makes a second role.
  const outcome = classify(result, { ...request, purpose: 'create' });
  if (outcome.kind === 'written') return { ok: true, value: undefined };
  return outcome.kind === 'ambiguous' ? { ...notLooked(result), mayHaveRun: true } : notLooked(result);
}
