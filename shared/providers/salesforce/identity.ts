import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { Call, CallPurpose, Looked } from '../port.ts';
import { readAs } from '../read-call.ts';
import { dataPath } from './paths.ts';
import { getTogether, queryUrl, rowsOf } from './reads.ts';
import { OrganizationRow, UserInfo, UserRow, VersionResources } from './responses.ts';
import { soqlText } from './soql.ts';

/** Who our calls run as; ids are absent where Salesforce would not say. */
export type Identity = { userId?: string; organisationId?: string };

const IDENTITY_URL = /\/id\/(00D[A-Za-z0-9]{12,15})\/(005[A-Za-z0-9]{12,15})$/;

/**
 * The connected user and organisation. The list of resources names the identity URL, which ends in both ids; nothing
 * has to be read behind it. `userinfo`, which needs a scope of its own, is asked only where the list does not name it.
 * @see https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_discoveryresource.htm
 * @see https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm
 */
export async function readIdentity(
  call: Call,
  settings: AccountSettings,
  purpose: CallPurpose,
): Promise<Looked<Identity>> {
  const list = { method: 'GET', path: `${dataPath(settings)}/`, purpose } as const;
  const resources = await readAs(call, list, VersionResources);
  if (!resources.ok) return resources;
  const ids = IDENTITY_URL.exec(resources.value.identity?.replaceAll(/\s/g, '') ?? '');
  if (ids !== null) return { ok: true, value: { organisationId: ids[1], userId: ids[2] } };
  const userinfo = { method: 'GET', path: '/services/oauth2/userinfo', purpose } as const;
  const me = await readAs(call, userinfo, UserInfo);
  const value = me.ok ? { userId: me.value.user_id, organisationId: me.value.organization_id } : {};
  return { ok: true, value };
}

/** SOQL for the connected user and for the organisation. */
export const userSoql = (userId: string) => `SELECT Id, Name, Email FROM User WHERE Id = ${soqlText(userId)}`;
export const ORGANISATION_SOQL = 'SELECT Id, Name, DefaultCurrencyIsoCode FROM Organization LIMIT 1';

/** {@link ProviderClient.check}: two calls, of which the first proves the session. */
export async function check(
  call: Call,
  settings: AccountSettings,
): Promise<Looked<{ user: string; organisation?: string }>> {
  const identity = await readIdentity(call, settings, 'check');
  if (!identity.ok) return identity;
  const { userId, organisationId } = identity.value;
  const urls = {
    organisation: queryUrl(settings, ORGANISATION_SOQL),
    ...(userId === undefined ? {} : { user: queryUrl(settings, userSoql(userId)) }),
  };
  const answers = await getTogether(call, settings, urls, 'check');
  if (!answers.ok) return answers;
  const user = rowsOf(answers.value.get('user'), UserRow)?.[0];
  const organisation = rowsOf(answers.value.get('organisation'), OrganizationRow)?.[0];
  return {
    ok: true,
    value: {
      user: user?.Name ?? userId ?? 'unknown',
      organisation: organisation?.Name ?? organisationId,
    },
  };
}
