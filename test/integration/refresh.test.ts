import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClose } from '../../sandbox/close/provider.ts';
import { type RunningSandbox, serveSandbox } from '../../sandbox/core/server.ts';
import { systemClock } from '../../shared/clock.ts';
import type { StoredCredentials } from '../../shared/domain/integrated-account.ts';
import { closeClient } from '../../shared/providers/close/client.ts';
import type { CallResult } from '../../shared/providers/port.ts';
import { readToken as readSalesforceToken } from '../../shared/providers/salesforce/token.ts';
import { createTokenRefresher, type TokenSend } from '../../shared/providers/token-refresh.ts';
import { type Account, createAccountStore } from '../../shared/stores/account-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { aTestRedis, connectTestRedis, type TestRedis } from '../support/redis.ts';

const PARTITIONS = 8;
const box = createSealedBox([{ id: 'k1', key: randomBytes(32) }]);
let sandbox: RunningSandbox;

beforeAll(async () => {
  sandbox = await serveSandbox({ port: 0, host: '127.0.0.1', providers: [createClose] });
});
afterAll(() => sandbox.close());

/** A token call as the worker makes it, without the gate. */
const send: TokenSend = async (url, form, headers): Promise<CallResult> => {
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(form) });
  return {
    kind: 'answered',
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.json(),
    receivedAtMs: Date.now(),
  };
};

let accounts = 0;
/** Credentials of a user of the sandbox nobody else uses. */
function someCredentials(): StoredCredentials & { refresh_token: string } {
  accounts += 1;
  return {
    type: 'oauth2_refresh_token',
    client_id: 'demo-close-client',
    client_secret: 'demo-close-secret',
    refresh_token: `demo-close-refresh-r${accounts}`,
    base_url: `${sandbox.origin}/close`,
  };
}

function storeOn(redis: TestRedis['redis'], keys: TestRedis['keys']) {
  return createAccountStore({ redis, keys, partitions: PARTITIONS, box, clock: systemClock });
}

type Store = ReturnType<typeof storeOn>;

async function anAccount(store: Store): Promise<Account> {
  const account = await store.create({
    workspace: 'default',
    provider: 'close',
    name: 'Close',
    settings: {},
    credentials: someCredentials(),
  });
  if (account === 'exists') throw new Error('the id is new');
  return account;
}

type Options = {
  send?: TokenSend;
  store?: Partial<Store>;
  isAllowed?: (url: URL) => boolean;
  readToken?: typeof closeClient.readToken;
};

/** What one worker process has: a connection, a store and a refresher of its own. */
async function aProcess({ keys }: TestRedis, options: Options = {}) {
  const redis = await connectTestRedis();
  const store = { ...storeOn(redis, keys), ...options.store };
  const refresher = createTokenRefresher({
    store,
    redis,
    keys,
    partitions: PARTITIONS,
    clients: () => ({ ...closeClient, ...(options.readToken ? { readToken: options.readToken } : {}) }),
    send: options.send ?? send,
    clock: systemClock,
    isAllowed: options.isAllowed ?? (() => true),
  });
  return { store, ...refresher };
}

async function worksAtProvider({ access_token }: StoredCredentials): Promise<boolean> {
  const response = await fetch(`${sandbox.origin}/close/api/v1/me/`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  return response.ok;
}

describe('token refresh', () => {
  it('makes exactly one token call for twenty callers in two processes, and leaves a living grant', async () => {
    const redis = await aTestRedis();
    let calls = 0;
    const counting: TokenSend = (...args) => {
      calls += 1;
      return send(...args);
    };
    const processes = [
      await aProcess(redis, { send: counting }),
      await aProcess(redis, { send: counting }),
    ] as const;
    const account = await anAccount(processes[0].store);

    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => processes[i % 2 === 0 ? 0 : 1].refresh(account, 1)),
    );

    expect(calls).toBe(1);
    const versions = results.map((result) => (result.kind === 'tokens' ? result.version : result));
    expect(new Set(versions)).toEqual(new Set([2]));
    const [first] = results;
    if (first?.kind !== 'tokens') throw new Error('no tokens');
    expect(await worksAtProvider(first.credentials)).toBe(true);

    // The rotated token was kept: the next refresh works too.
    const again = await processes[1].refresh(account, 2);
    expect(again).toMatchObject({ kind: 'tokens', version: 3 });
    expect(calls).toBe(2);
  });

  it('keeps the tokens of an organisation that moved where no call may go, and stops the account with the reason', async () => {
    const redis = await aTestRedis();
    const moved = 'https://acme.elsewhere.example';
    const answer: TokenSend = async (...args) => {
      const given = await send(...args);
      if (given.kind !== 'answered') throw new Error(given.kind);
      return { ...given, body: { ...(given.body as object), instance_url: moved } };
    };
    const process = await aProcess(redis, {
      send: answer,
      isAllowed: ({ origin }) => origin !== moved,
      readToken: readSalesforceToken,
    });
    const account = await anAccount(process.store);
    const message = expect.stringContaining(`moved to ${moved}, which PROVIDER_URL_ALLOWLIST`);
    expect(await process.refresh(account, 1)).toEqual({ kind: 'dead', message });
    const stored = await process.store.credentials(account.id);
    if (!stored) throw new Error('no credentials');
    expect(stored.credentials).not.toHaveProperty('instance_url');
    // The next use asks for a token, and learns the address: by then it may be allowed.
    expect(stored.credentials.access_token).toBeUndefined();
    const allowed = await aProcess(redis, { send: answer, readToken: readSalesforceToken });
    const learned = await allowed.refresh(account, stored.version);
    expect(learned).toMatchObject({ kind: 'tokens', credentials: { instance_url: moved } });
    if (learned.kind === 'tokens') expect(await worksAtProvider(learned.credentials)).toBe(true);
  });

  it('takes what another process stored instead of asking', async () => {
    const redis = await aTestRedis();
    const silent: TokenSend = () => Promise.reject(new Error('must not be called'));
    const [one, two] = [await aProcess(redis), await aProcess(redis, { send: silent })];
    const account = await anAccount(one.store);
    await one.refresh(account, 1);
    expect(await two.refresh(account, 1)).toMatchObject({ kind: 'tokens', version: 2 });
  });

  it('stores before it gives out, and tries to store for as long as it takes', async () => {
    const redis = await aTestRedis();
    const plain = storeOn(redis.redis, redis.keys);
    let failures = 5;
    const process = await aProcess(redis, {
      store: {
        replaceCredentials: (...args) => {
          failures -= 1;
          if (failures >= 0) return Promise.reject(new Error('Connection is closed.'));
          return plain.replaceCredentials(...args);
        },
      },
    });
    const account = await anAccount(plain);
    const refreshed = await process.refresh(account, 1);
    if (refreshed.kind !== 'tokens') throw new Error('no tokens');
    expect(failures).toBe(-1);
    expect(await plain.credentials(account.id)).toEqual({
      credentials: refreshed.credentials,
      version: 2,
      grant: 1,
    });
    expect(await worksAtProvider(refreshed.credentials)).toBe(true);
  });

  it('says dead for a refused grant, and not for an outage', async () => {
    const redis = await aTestRedis();
    const process = await aProcess(redis);
    const account = await anAccount(process.store);
    const bad = { ...someCredentials(), refresh_token: 'unknown' };
    await process.store.replaceCredentials(account.id, bad);
    const dead = await process.refresh(account, 2);
    expect(dead).toMatchObject({ kind: 'dead', message: expect.stringContaining('invalid_grant') });

    const unreachable: TokenSend = async () => ({ kind: 'not_sent', code: 'x', message: 'ECONNREFUSED' });
    const other = await aProcess(redis, { send: unreachable });
    expect(await other.refresh(account, 2)).toMatchObject({ kind: 'retryable' });
  });

  it('does not call a grant dead that another process is just storing', async () => {
    const redis = await aTestRedis();
    const store = storeOn(redis.redis, redis.keys);
    const account = await anAccount(store);
    const refused: TokenSend = async (url, form, headers, of) => {
      // The other process rotated the token and was cut off before it could store; it comes back now.
      setTimeout(() => store.replaceCredentials(of.id, { ...someCredentials(), access_token: 'fresh' }), 500);
      return send(url, { ...form, refresh_token: 'rotated-away' }, headers, of);
    };
    const process = await aProcess(redis, { send: refused });
    expect(await process.refresh(account, 1)).toMatchObject({
      kind: 'tokens',
      credentials: { access_token: 'fresh' },
    });
  });

  it('waits for the holder of the lock, and takes over when it has died', async () => {
    const redis = await aTestRedis();
    const process = await aProcess(redis);
    const account = await anAccount(process.store);
    const lock = redis.keys.refreshLock(process.store.partitionOf(account.id), account.id);
    await redis.redis.set(lock, 'a process that died', 'PX', 600);
    expect(await process.refresh(account, 1)).toMatchObject({ kind: 'tokens', version: 2 });
    expect(await redis.redis.exists(lock)).toBe(0);
  });

  it('never releases a lock that is not its own', async () => {
    const redis = await aTestRedis();
    const lockKeys: string[] = [];
    const stealing: TokenSend = async (...args) => {
      // Ours expired during a long pause and somebody else took it.
      for (const key of lockKeys) await redis.redis.set(key, 'somebody else');
      return send(...args);
    };
    const process = await aProcess(redis, { send: stealing });
    const account = await anAccount(process.store);
    const lock = redis.keys.refreshLock(process.store.partitionOf(account.id), account.id);
    lockKeys.push(lock);
    await process.refresh(account, 1);
    expect(await redis.redis.get(lock)).toBe('somebody else');
  });

  it('keeps what a person stored while it was asking', async () => {
    const redis = await aTestRedis();
    const store = storeOn(redis.redis, redis.keys);
    const replaced = { ...someCredentials(), access_token: 'of the person' };
    const process = await aProcess(redis, {
      send: async (...args) => {
        const answer = await send(...args);
        await store.replaceCredentials(args[3].id, replaced);
        return answer;
      },
    });
    const account = await anAccount(store);
    expect(await process.refresh(account, 1)).toEqual({
      kind: 'tokens',
      credentials: replaced,
      version: 2,
      grant: 2,
    });
  });

  it('says dead for credentials that cannot be refreshed', async () => {
    const redis = await aTestRedis();
    const process = await aProcess(redis);
    const account = await anAccount(process.store);
    await process.store.replaceCredentials(account.id, { type: 'api_key', api_key: 'x' });
    expect(await process.refresh(account, 2)).toMatchObject({ kind: 'dead' });
    await process.store.remove(account.id);
    expect(await process.refresh(account, 2)).toMatchObject({ kind: 'dead' });
  });
});
