import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { ProviderName, StoredCredentials } from '../domain/integrated-account.ts';
import type { Logger } from '../logger.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import type { Account, AccountStore, OpenedCredentials } from '../stores/account-store.ts';
import { SealedBoxError } from '../stores/sealed-box.ts';
import type { CallResult, ProviderClient, TokenReading, TokenRequest } from './port.ts';
import { createRefreshLock, type HeldLock } from './refresh-lock.ts';

export type Refreshed =
  /** Stored before they are given out; `version` is what a next refresh must state. */
  | ({ kind: 'tokens' } & OpenedCredentials)
  /** The grant is refused for good: only new credentials help. */
  | { kind: 'dead'; message: string }
  | { kind: 'retryable'; message: string };

export type TokenSend = (
  url: string,
  form: Record<string, string>,
  headers: Record<string, string>,
  account: Account,
) => Promise<CallResult>;

export type TokenRefresherDeps = {
  store: Pick<AccountStore, 'credentials' | 'replaceCredentials'>;
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  clients: (provider: ProviderName) => Pick<ProviderClient, 'tokenRequest' | 'readToken'>;
  /** Paced by the account's gate; never repeats by itself. */
  send: TokenSend;
  /** Whether calls may go to an address. A token answer may name another one: Salesforce moves organisations. */
  isAllowed: (url: URL) => boolean;
  clock: Clock;
  logger?: Logger;
};

export type TokenRefresher = ReturnType<typeof createTokenRefresher>;

/** How long one refresh waits for another process that is refreshing the same account. */
const PATIENCE_MS = 45_000;
const POLL_MS = 50;
/** Before a grant is called dead: the process that rotated it may still be trying to store what it got. */
const DEAD_GRACE_MS = 3_000;

/**
 * Refreshes access tokens, once per account at a time over all processes: where refresh tokens rotate, a second call
 * with the same one kills the grant. New tokens are stored before they are used.
 */
export function createTokenRefresher(deps: TokenRefresherDeps) {
  const { store, clock } = deps;
  const underWay = new Map<string, Promise<Refreshed>>();
  const lock = createRefreshLock(deps.redis, (account) =>
    deps.keys.refreshLock(partitionOfAccount(account, deps.partitions), account),
  );

  /** Credentials newer than those the caller used, or undefined. */
  async function newerThan(account: string, usedVersion: number): Promise<Refreshed | undefined> {
    const stored = await store.credentials(account);
    if (!stored) return { kind: 'dead', message: 'the account was deleted' };
    return stored.version > usedVersion ? { kind: 'tokens', ...stored } : undefined;
  }

  async function waitForOther(account: Account, usedVersion: number): Promise<Refreshed | HeldLock> {
    const deadlineMs = clock.nowMs() + PATIENCE_MS;
    while (clock.nowMs() < deadlineMs) {
      const held = await lock.take(account.id);
      if (held) return held;
      await sleep(POLL_MS + Math.random() * POLL_MS);
      const newer = await newerThan(account.id, usedVersion);
      if (newer) return newer;
    }
    return { kind: 'retryable', message: 'another process is refreshing the token of this account' };
  }

  async function refreshOnce(account: Account, usedVersion: number): Promise<Refreshed> {
    const held = await waitForOther(account, usedVersion);
    if ('kind' in held) return held;
    try {
      return (await newerThan(account.id, usedVersion)) ?? (await askProvider(account, usedVersion));
    } finally {
      await held.release();
    }
  }

  async function askProvider(account: Account, usedVersion: number): Promise<Refreshed> {
    const stored = await store.credentials(account.id);
    if (!stored) return { kind: 'dead', message: 'the account was deleted' };
    const client = deps.clients(account.provider);
    const prepared = await prepare(client, stored.credentials, clock.nowMs());
    if ('kind' in prepared) return prepared;
    const answer = await deps.send(prepared.url, prepared.form, prepared.headers ?? {}, account);
    const reading = readAnswer(client, answer, clock.nowMs());
    if (reading.kind === 'tokens') {
      const { update, moved } = withinAllowed(reading.update, deps.isAllowed);
      const kept = await keep(account, stored, update);
      return moved ?? kept;
    }
    return reading.kind === 'dead' ? confirmDead(account.id, usedVersion, reading) : reading;
  }

  /** Retried for as long as it takes: the old refresh token may be void already, and this is the only copy of the new. */
  async function keep(
    account: Account,
    stored: OpenedCredentials,
    update: Partial<StoredCredentials>,
  ): Promise<Refreshed> {
    // The update is of the same provider and type as the credentials it was asked with.
    const credentials = { ...stored.credentials, ...update } as StoredCredentials;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const written = await store.replaceCredentials(account.id, credentials, stored.version);
        if (typeof written === 'object')
          return { kind: 'tokens', credentials, version: written.version, grant: stored.grant };
        if (written === 'missing') return { kind: 'dead', message: 'the account was deleted' };
        const now = await store.credentials(account.id);
        // A lost reply of our own write looks like a conflict; either way what is stored is what counts.
        return now ? { kind: 'tokens', ...now } : { kind: 'dead', message: 'the account was deleted' };
      } catch (err) {
        if (err instanceof SealedBoxError) throw err;
        if (attempt === 1) deps.logger?.warn({ err, account_id: account.id }, 'token.store_retried');
        await sleep(Math.min(50 * 2 ** Math.min(attempt, 6), 2_000));
      }
    }
  }

  async function confirmDead(account: string, usedVersion: number, dead: Refreshed): Promise<Refreshed> {
    const deadlineMs = clock.nowMs() + DEAD_GRACE_MS;
    do {
      const newer = await newerThan(account, usedVersion);
      if (newer) return newer;
      await sleep(250);
    } while (clock.nowMs() < deadlineMs);
    return dead;
  }

  /**
   * @param usedVersion version of the credentials whose access token was refused or is missing.
   * @throws SealedBoxError when the stored credentials cannot be opened; Redis errors as they come.
   */
  async function refresh(account: Account, usedVersion: number): Promise<Refreshed> {
    const running = underWay.get(account.id);
    if (running) {
      const shared = await running;
      // It may have begun before the version was stored that was refused just now.
      if (shared.kind !== 'tokens' || shared.version > usedVersion) return shared;
      return refresh(account, usedVersion);
    }
    const started = refreshOnce(account, usedVersion).finally(() => underWay.delete(account.id));
    underWay.set(account.id, started);
    return started;
  }

  return {
    refresh,
    /** Resolves when no refresh is under way; wait for it before the process ends. */
    async idle(): Promise<void> {
      await Promise.allSettled(underWay.values());
    },
  };
}

/**
 * The tokens are kept in any case, since the old ones may be void. An address that is not allowed is not taken over, and stops the
 * account: with the old one every call would fail, with the new one every job.
 */
function withinAllowed(
  given: Extract<TokenReading, { kind: 'tokens' }>['update'],
  isAllowed: TokenRefresherDeps['isAllowed'],
): { update: Partial<StoredCredentials>; moved?: Refreshed } {
  const address = 'instance_url' in given ? given.instance_url : undefined;
  const url = address === undefined ? undefined : URL.parse(address);
  if (address === undefined || (url && isAllowed(url))) return { update: given };
  const { instance_url: _, ...rest } = given as Record<string, unknown>;
  const where = url?.origin ?? 'an address that is none';
  const message = `the organisation moved to ${where}, which PROVIDER_URL_ALLOWLIST does not allow; add it, restart the workers, and resume the account`;
  // Without an access token: the next use asks for one, and learns the address then.
  return { update: { ...rest, access_token: undefined }, moved: { kind: 'dead', message } };
}

async function prepare(
  client: Pick<ProviderClient, 'tokenRequest'>,
  credentials: StoredCredentials,
  nowMs: number,
): Promise<TokenRequest | Exclude<Refreshed, { kind: 'tokens' }>> {
  try {
    const request = await client.tokenRequest(credentials, nowMs);
    return (
      request ?? { kind: 'dead', message: 'the provider refused the credentials, which cannot be refreshed' }
    );
  } catch {
    // The error is not quoted: it may hold a part of the key it could not read.
    return {
      kind: 'dead',
      message: 'the stored credentials do not make a token request; is the private key a PEM in PKCS#8?',
    };
  }
}

/** `unanswered` is not dead: with a rotated token lost on the way the next call will tell. */
function readAnswer(
  client: Pick<ProviderClient, 'readToken'>,
  result: CallResult,
  nowMs: number,
): TokenReading {
  switch (result.kind) {
    case 'answered':
      return client.readToken(result, nowMs);
    case 'needs_reauth':
      return { kind: 'dead', message: result.message };
    case 'deferred':
      return { kind: 'retryable', message: 'the token call has to wait for the account’s limit' };
    case 'not_sent':
    case 'unanswered':
      return { kind: 'retryable', message: `the token endpoint was not reached: ${result.message}` };
  }
}
