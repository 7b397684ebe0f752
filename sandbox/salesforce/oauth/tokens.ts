import { createHash, randomBytes } from 'node:crypto';
import { auditStamps, integrationUserId, organizationId, userValues } from '../data/seed.ts';
import type { Store } from '../data/store.ts';
import { makeId } from '../ids.ts';

/** The connected app of the demo org. */
export const demoClient = { id: 'demo-salesforce-client', secret: 'demo-salesforce-secret' } as const;

const demoAccessToken = /^demo-salesforce-access(?:-(.+))?$/;
const demoRefreshToken = /^demo-salesforce-refresh(?:-(.+))?$/;
// Expired tokens are swept once this many are known.
const tokensMax = 20_000;

/** Sessions and refresh tokens. Every demo token with a suffix is a user of its own in the same org. */
export type Tokens = {
  /** The user of a valid access token. */
  findUser(accessToken: string): string | undefined;
  /** The user of a valid refresh token. */
  findGrant(refreshToken: string): string | undefined;
  issueAccess(userId: string, ttlS: number): string;
  issueRefresh(userId: string): string;
  revoke(token: string): boolean;
  expireAccessTokens(): void;
};

export function createTokens(store: Store, nowMs: () => number): Tokens {
  const access = new Map<string, { userId: string; expiresAtMs: number }>();
  const refresh = new Map<string, string>();
  const revoked = new Set<string>();
  let demoAccessIsValid = true;

  /** The user behind a demo token, made at first sight. */
  function tenantUser(suffix: string | undefined): string {
    if (suffix === undefined) return integrationUserId;
    const number = createHash('sha256').update(suffix).digest().readUInt32BE(0);
    const id = makeId('005', 1_000_000 + number);
    const users = store.table('User');
    if (users.get(id) === undefined) {
      const values = {
        Id: id,
        ...userValues('Tenant', suffix, true),
        ...auditStamps(nowMs(), integrationUserId),
      };
      users.insert({ id, values, deleted: false, commit: { byCall: 0, lastCall: 0 } });
    }
    return id;
  }

  return {
    findUser(token) {
      const issued = access.get(token);
      if (issued !== undefined) return issued.expiresAtMs > nowMs() ? issued.userId : undefined;
      const demo = demoAccessIsValid && !revoked.has(token) ? demoAccessToken.exec(token) : null;
      return demo === null ? undefined : tenantUser(demo[1]);
    },
    findGrant(token) {
      if (revoked.has(token)) return undefined;
      const demo = demoRefreshToken.exec(token);
      return demo === null ? refresh.get(token) : tenantUser(demo[1]);
    },
    issueAccess(userId, ttlS) {
      if (access.size >= tokensMax) {
        for (const [token, { expiresAtMs }] of access) if (expiresAtMs <= nowMs()) access.delete(token);
      }
      const token = `${organizationId.slice(0, 15)}!${randomBytes(48).toString('base64url')}`;
      access.set(token, { userId, expiresAtMs: nowMs() + ttlS * 1000 });
      return token;
    },
    issueRefresh(userId) {
      const token = `5Aep861${randomBytes(48).toString('base64url')}`;
      refresh.set(token, userId);
      return token;
    },
    revoke(token) {
      const isKnown =
        access.delete(token) ||
        refresh.has(token) ||
        demoRefreshToken.test(token) ||
        demoAccessToken.test(token);
      if (isKnown) revoked.add(token);
      return isKnown;
    },
    expireAccessTokens() {
      access.clear();
      demoAccessIsValid = false;
    },
  };
}
