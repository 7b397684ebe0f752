import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { Sender } from '../../shared/domain/job.ts';

/** Who the account is at its provider; undefined when its values were read with other credentials than these. */
export function whoIs(facts: AccountFacts | undefined, grant: number): Sender | undefined {
  if (facts?.grant === undefined || facts.grant !== grant || !facts.user.id) return undefined;
  return { userId: facts.user.id, organisationId: facts.organisation?.id };
}

/** False where one of them is not known. */
export function isSameSender(one: Sender | undefined, other: Sender | undefined): boolean {
  return one !== undefined && one.userId === other?.userId && one.organisationId === other.organisationId;
}
