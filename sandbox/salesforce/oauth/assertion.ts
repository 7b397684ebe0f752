import { verify } from 'node:crypto';
import { isPlainObject } from '../write/parse.ts';

export type Claims = { iss: string; sub: string };
export type AssertionResult = { claims: Claims } | { error: string };

export type AssertionRules = {
  clientId: string;
  audiences: string[];
  publicKey: string | null;
  nowMs: number;
};

/**
 * Checks a JWT bearer assertion: RS256, issuer, audience, expiry, and the signature where a key is registered.
 * Source: Salesforce Help, OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration.
 */
export function checkAssertion(assertion: string, rules: AssertionRules): AssertionResult {
  const [head = '', payload = '', signature = ''] = assertion.split('.');
  const header = decode(head);
  const claims = decode(payload);
  if (header?.alg !== 'RS256' || claims === undefined || signature === '')
    return { error: 'invalid assertion' };
  const { iss, sub, aud, exp } = claims;
  if (iss !== rules.clientId) return { error: 'invalid client credentials' };
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.some((audience) => rules.audiences.includes(String(audience)))) {
    return { error: 'Audience validation failed' };
  }
  if (typeof exp !== 'number' || exp * 1000 <= rules.nowMs) return { error: 'assertion expired' };
  if (typeof sub !== 'string') return { error: 'invalid assertion' };
  if (rules.publicKey !== null && !isSigned(`${head}.${payload}`, signature, rules.publicKey)) {
    return { error: 'invalid assertion' };
  }
  return { claims: { iss, sub } };
}

function isSigned(text: string, signature: string, publicKey: string): boolean {
  try {
    return verify('RSA-SHA256', Buffer.from(text), publicKey, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
