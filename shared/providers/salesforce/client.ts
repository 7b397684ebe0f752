import type { StoredCredentials } from '../../domain/integrated-account.ts';
import type { ProviderClient } from '../port.ts';
import { fetchFacts } from './facts.ts';
import { find } from './find.ts';
import { followUp } from './follow-up.ts';
import { check } from './identity.ts';
import { readBack } from './read-back.ts';
import { readToken, tokenRequest } from './token.ts';

/** Without a token yet the call goes out bare; Salesforce answers 401 and the token is fetched. */
function authorize(credentials: StoredCredentials): Record<string, string> {
  const token = credentials.access_token;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** The I/O half of the Salesforce connector. */
export const salesforceClient: ProviderClient = {
  authorize,
  tokenRequest,
  readToken,
  fetchFacts,
  check,
  readBack,
  followUp,
  find,
};
