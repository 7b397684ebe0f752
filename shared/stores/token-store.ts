import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { createSecret, sha256Hex } from '../ids.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { createShortCache } from './short-cache.ts';

export type TokenRateLimit = { requests: number; per_seconds: number };

/** An API token without its secret, which is shown once and kept only as SHA-256. */
export type ApiToken = {
  id: string;
  workspace: string;
  name?: string;
  scopes: string[];
  createdAtMs: number;
  expiresAtMs?: number;
  lastFour: string;
  rateLimit?: TokenRateLimit;
};

export type NewToken = Pick<ApiToken, 'workspace' | 'name' | 'scopes' | 'expiresAtMs' | 'rateLimit'>;

export type TokenStoreDeps = { redis: RedisClient; keys: Keys; clock: Clock };
export type TokenStore = ReturnType<typeof createTokenStore>;

/** An expired token is told so for this long before it is forgotten. */
const TELL_EXPIRED_MS = 30 * 86_400_000;

/** Messages about tokens share the channel of account changes; no account id begins like this. */
const CHANGED = 'token:';

/** API tokens: hash per token under its SHA-256 (`v`, `record` as JSON), and an index from id to SHA-256. */
export function createTokenStore({ redis, keys, clock }: TokenStoreDeps) {
  async function find(hash: string): Promise<ApiToken | undefined> {
    const text = await redis.hget(keys.token(hash), 'record');
    // Only `create` writes the field.
    return text ? (JSON.parse(text) as ApiToken) : undefined;
  }

  return {
    /** By the SHA-256 (hex) of the secret; expired tokens are found too. */
    find,

    /** @returns the secret, which cannot be read again, with the record. */
    async create(input: NewToken): Promise<{ secret: string; token: ApiToken }> {
      const secret = `dwt_${createSecret(32)}`;
      const hash = sha256Hex(secret);
      const token: ApiToken = {
        ...input,
        id: randomUUID(),
        createdAtMs: clock.nowMs(),
        lastFour: secret.slice(-4),
      };
      await redis.hset(keys.token(hash), { v: '1', record: JSON.stringify(token) });
      if (token.expiresAtMs !== undefined)
        await redis.pexpireat(keys.token(hash), Math.ceil(token.expiresAtMs + TELL_EXPIRED_MS));
      // Last: what is listed exists. A crash before leaves a token nobody was told of.
      await redis.hset(keys.tokenIds, token.id, hash);
      return { secret, token };
    },

    /** Newest first; of one workspace, or of all. */
    async list(workspace?: string): Promise<ApiToken[]> {
      const hashes = await redis.hvals(keys.tokenIds);
      const tokens = await Promise.all(hashes.map(find));
      return tokens
        .filter((token) => token !== undefined)
        .filter((token) => workspace === undefined || token.workspace === workspace)
        .sort((a, b) => b.createdAtMs - a.createdAtMs || a.id.localeCompare(b.id));
    },

    /** @returns undefined when there is no such token in `workspace` (left out: in any). */
    async remove(id: string, workspace?: string): Promise<ApiToken | undefined> {
      const hash = await redis.hget(keys.tokenIds, id);
      if (!hash) return undefined;
      const token = await find(hash);
      if (token && workspace !== undefined && token.workspace !== workspace) return undefined;
      await redis.del(keys.token(hash));
      await redis.hdel(keys.tokenIds, id);
      await redis.publish(keys.accountChanged, `${CHANGED}${hash}`);
      return token;
    },
  };
}

export type TokenCache = ReturnType<typeof createTokenCache>;

/** Tokens in memory for at most 2 s, dropped at once when any process deletes one: authentication costs no trip. */
export function createTokenCache(deps: {
  store: Pick<TokenStore, 'find'>;
  /** A connection in subscriber mode, shared with others; the caller owns it. */
  subscriber: RedisClient;
  keys: Keys;
}) {
  const { subscriber, keys } = deps;
  const cache = createShortCache((hash) => deps.store.find(hash));
  const onMessage = (channel: string, message: string) => {
    if (channel === keys.accountChanged && message.startsWith(CHANGED))
      cache.drop(message.slice(CHANGED.length));
  };
  subscriber.on('message', onMessage);
  // Without it copies still end by age; the connection's own error handler reports why.
  subscriber.subscribe(keys.accountChanged).catch(() => {});
  return {
    find: cache.get,
    close(): void {
      subscriber.off('message', onMessage);
    },
  };
}

/**
 * Counts a request in the present window: KEYS 1 counter · ARGV 1 window ms.
 * returns {requests in the window, this one included, ms until it ends}
 */
const COUNT = `
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
local left = redis.call('PTTL', KEYS[1])
if left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) left = tonumber(ARGV[1]) end
return {n, math.max(1, left)}
`;

/** What is left of a token's window after a request. */
export type TokenAllowance = { isOver: boolean; remaining: number; resetMs: number };

/** A token's own limit over all API processes, in fixed windows that begin with a request. */
export function createTokenLimiter({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  return async (tokenId: string, { requests, per_seconds }: TokenRateLimit): Promise<TokenAllowance> => {
    const counter = keys.token(`${tokenId}:window`);
    // The script returns two numbers.
    const [made, resetMs] = (await redis.eval(COUNT, 1, counter, Math.ceil(per_seconds * 1_000))) as [
      number,
      number,
    ];
    return { isOver: made > requests, remaining: Math.max(0, requests - made), resetMs };
  };
}
