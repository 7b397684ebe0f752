import type { Clock } from '../../shared/clock.ts';
import type { AccountFacts, ProviderName } from '../../shared/domain/integrated-account.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CredentialsOf } from '../../shared/providers/caller.ts';
import type { Call, ProviderClient, ProviderDescriptor } from '../../shared/providers/port.ts';
import { readByOneGrant } from '../../shared/providers/read-by-one-grant.ts';
import type { CheckValue } from '../../shared/queues/account-queries.ts';
import type { QueryAnswer, QueryMessage } from '../../shared/queues/messages.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { partitionOfAccount } from '../../shared/redis/partitions.ts';
import type { Account, AccountStore } from '../../shared/stores/account-store.ts';
import { SealedBoxError } from '../../shared/stores/sealed-box.ts';
import { readFailure } from './read-failure.ts';

const ANSWER_TTL_S = 60;

export type AnswerQueryDeps = {
  credentialsOf: CredentialsOf;
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  store: Pick<AccountStore, 'get' | 'credentials' | 'putFacts'>;
  clients: (provider: ProviderName) => Pick<ProviderClient, 'check' | 'fetchFacts' | 'readBack'>;
  descriptors: (provider: ProviderName) => Pick<ProviderDescriptor, 'classify'>;
  /** Paced and authenticated, as for writes. */
  call: (account: Account) => Call;
  clock: Clock;
  logger?: Logger;
};

type Outcome = { ok: true; value: unknown } | { ok: false; code: string; message: string };

/**
 * Answers one question of the API: asks the provider, stores the answer for a minute and wakes whoever waits.
 * Failures of the provider are answers too; only a Redis that is away is thrown.
 */
export async function answerQuery(message: QueryMessage, deps: AnswerQueryDeps): Promise<void> {
  const { redis, keys, clock } = deps;
  const outcome = await findAnswer(message, deps);
  const answer: QueryAnswer = { ...outcome, at_ms: clock.nowMs() };
  const partition = partitionOfAccount(message.account, deps.partitions);
  await redis.setex(keys.answer(partition, message.id), ANSWER_TTL_S, JSON.stringify(answer));
  await redis.publish(keys.answered(message.id), '1');
  const facts = { account_id: message.account, ask: message.ask.kind, ok: outcome.ok };
  deps.logger?.debug(outcome.ok ? facts : { ...facts, code: outcome.code }, 'query.answered');
}

async function findAnswer({ account: id, ask }: QueryMessage, deps: AnswerQueryDeps): Promise<Outcome> {
  const account = await deps.store.get(id);
  if (!account) return { ok: false, code: 'not_found', message: 'There is no such integrated account.' };
  try {
    // A call would only say that there are none; this says why they cannot be opened.
    await deps.store.credentials(id);
    switch (ask.kind) {
      case 'check':
        return await check(account, deps);
      case 'facts':
        return await facts(account, deps);
      case 'record':
        return await record(account, ask.remoteId, deps);
    }
  } catch (err) {
    // Its own message says what to do, and the account shows it.
    if (err instanceof SealedBoxError)
      return { ok: false, code: 'account_needs_reauth', message: err.message };
    deps.logger?.error({ err, account_id: id, ask: ask.kind }, 'query.failed');
    return { ok: false, code: 'worker_fault', message: 'The worker met a bug while asking the provider.' };
  }
}

async function check(account: Account, deps: AnswerQueryDeps): Promise<Outcome> {
  const client = deps.clients(account.provider);
  const checked = await client.check(deps.call(account), account.settings);
  if (!checked.ok) return failed(account, checked.result, deps);
  const read = await facts(account, deps);
  const value: CheckValue = read.ok
    ? // `facts` answers nothing else when it is ok.
      { ...checked.value, facts: read.value as AccountFacts }
    : { ...checked.value, factsFailure: { code: read.code, message: read.message } };
  return { ok: true, value };
}

async function facts(account: Account, deps: AnswerQueryDeps): Promise<Outcome> {
  const client = deps.clients(account.provider);
  const looked = await readByOneGrant(deps.credentialsOf, account.id, () =>
    client.fetchFacts(deps.call(account), deps.clock.nowMs(), account.settings),
  );
  if (!looked.ok) return failed(account, looked.result, deps);
  await deps.store.putFacts(account.id, looked.value);
  return { ok: true, value: looked.value };
}

async function record(account: Account, remoteId: string, deps: AnswerQueryDeps): Promise<Outcome> {
  const client = deps.clients(account.provider);
  const looked = await client.readBack(deps.call(account), remoteId, account.settings);
  if (!looked.ok) return failed(account, looked.result, deps);
  // JSON has no undefined: a record that does not exist is null.
  return { ok: true, value: looked.value ?? null };
}

function failed(account: Account, result: Parameters<typeof readFailure>[0], deps: AnswerQueryDeps): Outcome {
  const failure = readFailure(result, deps.descriptors(account.provider).classify);
  return { ok: false, ...failure };
}
