import { randomUUID } from 'node:crypto';
import { type Clock, toIso } from '../clock.ts';
import type { AccountSettings, ProviderName, StoredCredentials } from '../domain/integrated-account.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { type AccountChange, changeAccount, insertAccount } from './account-change.ts';
import {
  ACCOUNT_FIELDS,
  ACCOUNT_SCHEMA_VERSION,
  type Account,
  type AccountError,
  readAccount,
} from './account-record.ts';
import type { EventRef, NewEvent } from './event-store.ts';
import { createFactsStore } from './facts-store.ts';
import { type SealedBox, SealedBoxError } from './sealed-box.ts';

export type { Account, AccountError } from './account-record.ts';

export type NewAccount = {
  /** A uuid; made when left out. */
  id?: string;
  workspace: string;
  provider: ProviderName;
  name: string;
  settings: AccountSettings;
  credentials: StoredCredentials;
  /** `deleting`: not to be used until its settings are verified; goes away by itself if that never ends. */
  status?: 'active' | 'deleting';
};

export type OpenedCredentials = { credentials: StoredCredentials; version: number; grant: number };

export type AccountStoreDeps = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  box: SealedBox;
  clock: Clock;
  /** Told of an event that was written with a status; it fans it out without being waited for. */
  onEvent?: (event: EventRef) => void;
};

export type AccountStore = ReturnType<typeof createAccountStore>;

/** Codes of `last_error` that say that the provider is away. */
const OUTAGE_CODES = ['provider_unreachable', 'provider_no_answer', 'provider_unavailable'] as const;

/** Integrated accounts: the record, its sealed credentials and the live values read from its provider. */
export function createAccountStore({ redis, keys, partitions, box, clock, onEvent }: AccountStoreDeps) {
  const partitionOf = (id: string) => partitionOfAccount(id, partitions);
  const keyOf = (id: string) => keys.account(partitionOf(id), id);

  const get = async (id: string): Promise<Account | undefined> =>
    readAccount(id, await redis.hmget(keyOf(id), ...ACCOUNT_FIELDS), clock.nowMs());

  const change = (id: string, what: AccountChange) =>
    changeAccount(redis, keys, partitionOf(id), id, clock.nowMs(), what);

  const listPartition = (partition: number) => redis.smembers(keys.accounts(partition));

  const facts = createFactsStore({ redis, keys, partitionOf });

  return {
    partitionOf,
    get,
    /** Ids of every account of one partition, those being deleted included. */
    listPartition,

    /** @returns `exists` when there is an account with this id, whoever owns it, or was one of another workspace. */
    async create(input: NewAccount): Promise<Account | 'exists'> {
      const id = input.id ?? randomUUID();
      const now = String(clock.nowMs());
      const created = await insertAccount(redis, keys, partitionOf(id), id, {
        v: String(ACCOUNT_SCHEMA_VERSION),
        workspace: input.workspace,
        provider: input.provider,
        name: input.name,
        status: input.status ?? 'active',
        settings: JSON.stringify(input.settings),
        credentials: box.seal(id, JSON.stringify(input.credentials)),
        cred_version: '1',
        grants: '1',
        revision: '1',
        created: now,
        updated: now,
        held_total: '0',
      });
      return created ? ((await get(id)) ?? 'exists') : 'exists';
    },

    /** Accounts of a workspace, oldest first, those being deleted included. */
    async list(workspace: string): Promise<Account[]> {
      // Commands of one turn go out together; see corked-connection.ts, and in a cluster a pipeline for each node.
      const ids = await Promise.all(Array.from({ length: partitions }, (_, p) => listPartition(p)));
      const accounts = await Promise.all(ids.flat().map(get));
      return accounts
        .filter((account) => account !== undefined)
        .filter((account) => account.workspace === workspace)
        .sort((a, b) => a.createdAtMs - b.createdAtMs || a.id.localeCompare(b.id));
    },

    /**
     * @param ifRevision refuse when name or settings changed since.
     * @returns undefined when there is no such account.
     */
    async update(
      id: string,
      fields: { name?: string; settings?: AccountSettings },
      ifRevision?: number,
    ): Promise<Account | 'conflict' | undefined> {
      const set: Record<string, string> = {};
      if (fields.name !== undefined) set.name = fields.name;
      if (fields.settings !== undefined) set.settings = JSON.stringify(fields.settings);
      const guards = ifRevision === undefined ? undefined : { revision: [String(ifRevision)] };
      const { kind } = await change(id, { set, countUp: ['revision'], guards });
      return kind === 'refused' ? 'conflict' : kind === 'missing' ? undefined : get(id);
    },

    /**
     * Moves the status and keeps the time the account was held. `lastError: null` clears it; left out, it stays.
     * @param opts `ifCredentialsVersion`: refuse when a person replaced the credentials since, so that the answer to an
     * old call does not park an account that has new ones.
     * @returns undefined when there is no such account, or its status is not in `from`, or the version is another.
     */
    async setStatus(
      id: string,
      to: Account['status'],
      opts: {
        from?: Account['status'][];
        lastError?: AccountError | null;
        ifCredentialsVersion?: number;
        /** Written in the same step if the account comes from the status `from`. */
        event?: NewEvent & { from: Account['status'] };
      } = {},
    ): Promise<Account | undefined> {
      const set: Record<string, string> = { status: to };
      if (opts.lastError) set.last_error = JSON.stringify(opts.lastError);
      const changed = await change(id, {
        set,
        event: opts.event,
        remove: opts.lastError === null ? 'last_error' : undefined,
        guards: {
          ...(opts.from && { status: opts.from }),
          ...(opts.ifCredentialsVersion !== undefined && {
            grants: [String(opts.ifCredentialsVersion)],
          }),
        },
      });
      if (changed.kind !== 'changed') return undefined;
      if (changed.event) onEvent?.(changed.event);
      return get(id);
    },

    /** Shows on an active account that its provider is away; a reason of its own keeps its place. */
    async noteOutage(id: string, error: AccountError): Promise<void> {
      await change(id, { set: { last_error: JSON.stringify(error) }, guards: { status: ['active'] } });
    },

    /** A person changed what may have been the cause: the provider is asked again at once. */
    async forgetOutage(id: string): Promise<void> {
      await redis.hdel(keys.gate(partitionOf(id), id), 'downs', 'opens', 'probe', 'probe_at', 'probe_ms');
    },

    /** Takes that away again, and nothing else: what was noted since stays. */
    async clearOutage(id: string): Promise<void> {
      const noted = (await get(id))?.lastError;
      if (!noted || !(OUTAGE_CODES as readonly string[]).includes(noted.code)) return;
      await change(id, { remove: 'last_error', guards: { last_error: [JSON.stringify(noted)] } });
    },

    /**
     * Opened credentials and the version a refresh must state (not that of the account: this one counts refreshes); `grant` is the account's.
     * @throws SealedBoxError when they cannot be opened; the account then shows it as `lastError`.
     */
    async credentials(id: string): Promise<OpenedCredentials | undefined> {
      const [sealed, version, lastError, grants] = await redis.hmget(
        keyOf(id),
        'credentials',
        'cred_version',
        'last_error',
        'grants',
      );
      if (!sealed) return undefined;
      try {
        // Only this store writes the field, and the seal proves that nobody changed it.
        const credentials = JSON.parse(box.open(id, sealed)) as StoredCredentials;
        return { credentials, version: Number(version), grant: Number(grants) };
      } catch (err) {
        if (err instanceof SealedBoxError && !lastError?.includes(JSON.stringify(err.message))) {
          const shown: AccountError = {
            code: 'account_needs_reauth',
            message: err.message,
            at: toIso(clock.nowMs()),
          };
          await change(id, { set: { last_error: JSON.stringify(shown) } });
        }
        throw err;
      }
    },

    /**
     * Seals with the current key. With `expectedVersion` (a token refresh) nothing is written when somebody else was
     * faster; without it (a person's word) it counts as a new grant.
     */
    async replaceCredentials(
      id: string,
      credentials: StoredCredentials,
      expectedVersion?: number,
    ): Promise<{ version: number } | 'conflict' | 'missing'> {
      const changed = await change(id, {
        set: { credentials: box.seal(id, JSON.stringify(credentials)) },
        countUp: expectedVersion === undefined ? ['cred_version', 'grants'] : ['cred_version'],
        guards: expectedVersion === undefined ? undefined : { cred_version: [String(expectedVersion)] },
      });
      if (changed.kind === 'changed') return { version: changed.count };
      return changed.kind === 'refused' ? 'conflict' : 'missing';
    },

    facts: facts.get,
    putFacts: facts.put,

    /** Forgets the account and its credentials. Its ended jobs stay until their retention is over. */
    async remove(id: string): Promise<void> {
      const p = partitionOf(id);
      facts.forget(id);
      const workspace = await redis.hget(keys.account(p, id), 'workspace');
      if (workspace) await redis.set(keys.formerOwner(p, id), workspace);
      await redis.srem(keys.accounts(p), id);
      await redis.del(
        keys.account(p, id),
        keys.facts(p, id),
        keys.gate(p, id),
        keys.leases(p, id),
        keys.refreshLock(p, id),
      );
      await redis.publish(keys.accountChanged, id);
    },
  };
}
