import type { AccountFacts } from '../domain/integrated-account.ts';
import type { CredentialsOf } from './caller.ts';
import type { Looked } from './port.ts';

/** Live values with the grant they were read by; without one if the credentials were replaced meanwhile. */
export async function readByOneGrant(
  credentialsOf: CredentialsOf,
  account: string,
  read: () => Promise<Looked<AccountFacts>>,
): Promise<Looked<AccountFacts>> {
  const before = await credentialsOf(account);
  const looked = await read();
  const after = await credentialsOf(account);
  if (!looked.ok || before === undefined || before.grant !== after?.grant) return looked;
  return { ok: true, value: { ...looked.value, grant: before.grant } };
}
