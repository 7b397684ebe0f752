import { FIRST_USER_ID, type User } from './organisation.ts';

export const API_KEY = 'demo-close-key';
export const CLIENT_ID = 'demo-close-client';
export const CLIENT_SECRET = 'demo-close-secret';
export const FIRST_REFRESH_TOKEN = 'demo-close-refresh';

/** Who is calling. `apiKeyId` is null for OAuth. */
export type Session = { userId: string; apiKeyId: string | null };

export type TokenGrant = { accessToken: string; refreshToken: string; expiresInS: number; userId: string };

export type Credentials = {
  /** The session of an Authorization header, or undefined when it opens nothing. */
  authenticate(header: string | undefined): Session | undefined;
  /** New tokens for a refresh token, which is used up; undefined when it is unknown or was used before. */
  refresh(refreshToken: string): TokenGrant | undefined;
  revoke(token: string): void;
  expireAccessTokens(): void;
};

/** An access token lives one hour ("Authentication with OAuth"). */
const ACCESS_TOKEN_S = 3600;

type AccessToken = { session: Session; expiresAtMs: number };

export function createCredentials(nowMs: () => number, users: Map<string, User>): Credentials {
  const keySessions = new Map<string, Session>();
  const accessTokens = new Map<string, AccessToken>();
  const refreshTokens = new Map<string, string>();
  const spentSeeds = new Set<string>();
  let issued = 0;

  function authenticateKey(header: string): Session | undefined {
    const known = keySessions.get(header);
    if (known !== undefined) return known;
    const decoded = Buffer.from(header.slice('Basic '.length), 'base64').toString('utf8');
    // The key is the user name and the password is empty: without the colon it is not Basic at all.
    if (!decoded.endsWith(':')) return undefined;
    const userId = userOf(decoded.slice(0, -1), API_KEY, users);
    if (userId === undefined) return undefined;
    const session = { userId, apiKeyId: `api_${userId.slice('user_'.length)}` };
    keySessions.set(header, session);
    return session;
  }

  function takeRefreshToken(token: string): string | undefined {
    const userId = refreshTokens.get(token);
    if (userId !== undefined) {
      refreshTokens.delete(token);
      return userId;
    }
    if (spentSeeds.has(token)) return undefined;
    const seeded = userOf(token, FIRST_REFRESH_TOKEN, users);
    if (seeded !== undefined) spentSeeds.add(token);
    return seeded;
  }

  return {
    authenticate(header) {
      if (header === undefined) return undefined;
      if (header.startsWith('Basic ')) return authenticateKey(header);
      if (!header.startsWith('Bearer ')) return undefined;
      const token = accessTokens.get(header.slice('Bearer '.length));
      return token !== undefined && nowMs() < token.expiresAtMs ? token.session : undefined;
    },
    refresh(refreshToken) {
      const userId = takeRefreshToken(refreshToken);
      if (userId === undefined) return undefined;
      issued += 1;
      const accessToken = `close-access-${issued}`;
      const nextRefreshToken = `close-refresh-${issued}`;
      const expiresAtMs = nowMs() + ACCESS_TOKEN_S * 1000;
      accessTokens.set(accessToken, { session: { userId, apiKeyId: null }, expiresAtMs });
      refreshTokens.set(nextRefreshToken, userId);
      return { accessToken, refreshToken: nextRefreshToken, expiresInS: ACCESS_TOKEN_S, userId };
    },
    revoke(token) {
      accessTokens.delete(token);
      refreshTokens.delete(token);
      if (token.startsWith(FIRST_REFRESH_TOKEN)) spentSeeds.add(token);
    },
    expireAccessTokens: () => accessTokens.clear(),
  };
}

/**
 * The user behind a demo credential: the plain one is the first user's; one with a suffix is a further user of the
 * same organisation, who joins when first seen, so that many accounts can be tried without setting them up.
 */
function userOf(credential: string, plain: string, users: Map<string, User>): string | undefined {
  if (credential === plain) return FIRST_USER_ID;
  if (!credential.startsWith(`${plain}-`)) return undefined;
  const suffix = credential.slice(plain.length + 1);
  if (!/^[\w-]{1,64}$/.test(suffix)) return undefined;
  const id = `user_Key${suffix.replace(/\W|_/g, 'x')}`;
  if (!users.has(id)) {
    const email = `${suffix.toLowerCase()}@demo.example`;
    users.set(id, { id, firstName: 'Key', lastName: suffix, email, isAdmin: false });
  }
  return id;
}
