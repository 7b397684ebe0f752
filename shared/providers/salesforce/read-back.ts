import { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import { isJsonObject } from '../merge-remote-data.ts';
import type { Call, Looked } from '../port.ts';
import { dataPath } from './paths.ts';
import { getTogether, noPart, notLooked, queryUrl, rowsOf, unreadable } from './reads.ts';
import { soqlText } from './soql.ts';

/**
 * {@link ProviderClient.readBack}: the record with every field the user may see, and beside it, in the shape SOQL
 * would give them, `Account {Id, Name}` and `OpportunityContactRoles`. One metered call.
 *
 * A GET without `fields` leaves hidden fields out where naming them would be an error; the other two parts are
 * queries of their own so that a hidden Account or contact role does not cost the record.
 */
export async function readBack(
  call: Call,
  remoteId: string,
  settings: AccountSettings,
): Promise<Looked<unknown | undefined>> {
  const id = soqlText(remoteId);
  const parts = {
    opportunity: dataPath(settings, 'sobjects', 'Opportunity', remoteId),
    account: queryUrl(settings, `SELECT Account.Id, Account.Name FROM Opportunity WHERE Id = ${id}`),
    roles: queryUrl(
      settings,
      `SELECT Id, ContactId, Role, IsPrimary FROM OpportunityContactRole WHERE OpportunityId = ${id} ORDER BY CreatedDate, Id`,
    ),
  };
  const answers = await getTogether(call, settings, parts, 'read_back');
  if (!answers.ok) return answers;
  const answer = answers.value.get('opportunity');
  if (answer?.status === 404) return { ok: true, value: undefined };
  if (answer?.status !== 200) return notLooked(answer ?? noPart(parts.opportunity));
  if (!isJsonObject(answer.body)) return unreadable(answer, parts.opportunity);

  const record: Record<string, unknown> = { ...answer.body };
  const [row] = rowsOf(answers.value.get('account'), z.looseObject({ Account: z.unknown() })) ?? [];
  if (row !== undefined) record.Account = row.Account;
  const roles = rowsOf(answers.value.get('roles'), z.looseObject({}));
  if (roles !== undefined)
    record.OpportunityContactRoles = { totalSize: roles.length, done: true, records: roles };
  return { ok: true, value: record };
}
