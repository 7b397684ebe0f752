import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import type { Sender, UnknownSend } from '../../shared/domain/job.ts';
import type { Call, Looked } from '../../shared/providers/port.ts';
import type { Run, WriterDeps } from './deps.ts';
import { readFacts } from './plan.ts';

type Facts = AccountFacts | undefined;

/** Who the account is at its provider; undefined when its values were read with other credentials than these. */
export function whoIs(facts: Facts, grant: number): Sender | undefined {
  if (facts?.grant === undefined || facts.grant !== grant || !facts.user.id) return undefined;
  return { userId: facts.user.id, organisationId: facts.organisation?.id };
}

/** False where one of them is not known. */
export function isSameSender(one: Sender | undefined, other: Sender | undefined): boolean {
  return one !== undefined && one.userId === other?.userId && one.organisationId === other.organisationId;
}

/** A send by somebody who is, or may be, another than the account is connected as now. By content a record is known by who made it. */
export function anotherSend({ job, account }: Run, facts: Facts): UnknownSend | undefined {
  const me = whoIs(facts, account.credentialsVersion);
  return job.unknownSends.find(
    ({ grant, sender, isJudged }) =>
      !isJudged && grant !== undefined && grant !== account.credentialsVersion && !isSameSender(sender, me),
  );
}

/** Since it was sent the account may have got credentials of somebody else: who it is now is asked. */
export async function factsOfToday(
  deps: WriterDeps,
  run: Run,
  facts: Facts,
  call: Call,
): Promise<Looked<Facts>> {
  const { credentialsVersion } = run.account;
  const isKnown = whoIs(facts, credentialsVersion) !== undefined;
  const isSame = run.job.unknownSends.every(
    ({ grant, sender, isJudged }) =>
      isJudged || grant === undefined || (grant === credentialsVersion && sender !== undefined),
  );
  return isKnown || isSame ? { ok: true, value: facts } : readFacts(deps, run, call);
}

export function factsOfSender(run: Run, facts: Facts): Facts {
  const sender = anotherSend(run, facts)?.sender;
  return facts && sender ? { ...facts, user: { ...facts.user, id: sender.userId } } : facts;
}
