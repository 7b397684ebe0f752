import type { AccountSettings } from '../../domain/integrated-account.ts';
import type { Call, CallPurpose, Looked } from '../port.ts';
import { readAs } from '../read-call.ts';
import { dataPath } from './paths.ts';
import { getTogether, recordOf } from './reads.ts';
import { OrganizationRow, UserInfo, UserRow, VersionResources } from './responses.ts';

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

/** Where the connected user and the organisation are read: by id, so that hidden fields cost nothing else. */
export function identityUrls(settings: AccountSettings, { userId, organisationId }: Identity) {
  return {
    ...(userId === undefined ? {} : { me: dataPath(settings, 'sobjects', 'User', userId) }),
    ...(organisationId === undefined
      ? {}
      : { organisation: dataPath(settings, 'sobjects', 'Organization', organisationId) }),
  };
}

/** {@link ProviderClient.check}: the first call proves the session, the second brings the names. */
export async function check(
  call: Call,
  settings: AccountSettings,
): Promise<Looked<{ user: string; organisation?: string }>> {
  const identity = await readIdentity(call, settings, 'check');
  if (!identity.ok) return identity;
  const { userId, organisationId } = identity.value;
  const urls = identityUrls(settings, identity.value);
  const unnamed = { user: userId ?? 'unknown', organisation: organisationId };
  if (Object.keys(urls).length === 0) return { ok: true, value: unnamed };
  const answers = await getTogether(call, settings, urls, 'check');
  if (!answers.ok) return answers;
  const me = recordOf(answers.value.get('me'), UserRow);
  const organisation = recordOf(answers.value.get('organisation'), OrganizationRow);
  return {
    ok: true,
    value: { user: me?.Name ?? unnamed.user, organisation: organisation?.Name ?? unnamed.organisation },
  };
}
