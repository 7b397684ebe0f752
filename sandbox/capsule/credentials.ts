import { FIRST_USER_ID, type User } from './directory.ts';
import type { CapsuleOptions } from './options.ts';

export const PERSONAL_TOKEN = 'demo-capsule-token';
export const READ_ONLY_TOKEN = 'demo-capsule-readonly';
export const CLIENT_ID = 'demo-capsule-client';
export const CLIENT_SECRET = 'demo-capsule-secret';
export const FIRST_REFRESH_TOKEN = 'demo-capsule-refresh';

/** Who is calling, and whether the token may write. */
export type Session = { userId: number; mayWrite: boolean };

export type TokenGrant = { accessToken: string; refreshToken: string; expiresInS: number };

export type Credentials = {
  /** The session of an Authorization header, or undefined when it opens nothing. */
  authenticate(header: string | undefined): Session | undefined;
  /** New tokens for a refresh token; undefined when it is unknown or has been replaced. */
  refresh(refreshToken: string): TokenGrant | undefined;
  revoke(token: string): void;
  expireAccessTokens(): void;
};

/** Seven days less a second, as the vendor answers. */
const ACCESS_TOKEN_S = 604_799;
const FIRST_JOINING_USER_ID = 1001;

type AccessToken = { session: Session; expiresAtMs: number };

export function createCredentials(
  nowMs: () => number,
  users: Map<number, User>,
  options: () => CapsuleOptions,
): Credentials {
  const personal = new Map<string, Session>([
    [PERSONAL_TOKEN, { userId: FIRST_USER_ID, mayWrite: true }],
    [READ_ONLY_TOKEN, { userId: FIRST_USER_ID, mayWrite: false }],
  ]);
  const accessTokens = new Map<string, AccessToken>();
  const refreshTokens = new Map<string, number>();
  const spentSeeds = new Set<string>();
  const joined = new Map<string, number>();
  let issued = 0;

  /**
   * A credential with a suffix is a further user of the same account, who joins when first seen, so that many
   * accounts can be tried without setting them up.
   */
  function userOf(credential: string, plain: string): number | undefined {
    if (credential === plain) return FIRST_USER_ID;
    if (!credential.startsWith(`${plain}-`)) return undefined;
    const suffix = credential.slice(plain.length + 1);
    if (!/^[\w-]{1,64}$/.test(suffix)) return undefined;
    const known = joined.get(suffix);
    if (known !== undefined) return known;
    const id = FIRST_JOINING_USER_ID + joined.size;
    joined.set(suffix, id);
    users.set(id, { id, username: `token-${suffix}`, name: `Token ${suffix}` });
    return id;
  }

  function authenticatePersonal(token: string): Session | undefined {
    const known = personal.get(token);
    if (known !== undefined) return known;
    const userId = userOf(token, PERSONAL_TOKEN);
    if (userId === undefined) return undefined;
    const session = { userId, mayWrite: true };
    personal.set(token, session);
    return session;
  }

  function takeRefreshToken(token: string): number | undefined {
    const isKept = options().refresh === 'keep';
    const userId = refreshTokens.get(token);
    if (userId !== undefined) {
      if (!isKept) refreshTokens.delete(token);
      return userId;
    }
    if (spentSeeds.has(token)) return undefined;
    const seeded = userOf(token, FIRST_REFRESH_TOKEN);
    if (seeded !== undefined && !isKept) spentSeeds.add(token);
    return seeded;
  }

  return {
    authenticate(header) {
      if (header === undefined || !/^bearer /i.test(header)) return undefined;
      const value = header.slice('Bearer '.length);
      const token = accessTokens.get(value);
      if (token === undefined) return authenticatePersonal(value);
      return nowMs() < token.expiresAtMs ? token.session : undefined;
    },
    refresh(refreshToken) {
      const userId = takeRefreshToken(refreshToken);
      if (userId === undefined) return undefined;
      issued += 1;
      const accessToken = `capsule-access-${issued}`;
      const nextRefreshToken = options().refresh === 'keep' ? refreshToken : `capsule-refresh-${issued}`;
      const expiresAtMs = nowMs() + ACCESS_TOKEN_S * 1000;
      accessTokens.set(accessToken, { session: { userId, mayWrite: true }, expiresAtMs });
      refreshTokens.set(nextRefreshToken, userId);
      return { accessToken, refreshToken: nextRefreshToken, expiresInS: ACCESS_TOKEN_S };
    },
    revoke(token) {
      accessTokens.delete(token);
      refreshTokens.delete(token);
      if (token.startsWith(FIRST_REFRESH_TOKEN)) spentSeeds.add(token);
    },
    expireAccessTokens: () => accessTokens.clear(),
  };
}
