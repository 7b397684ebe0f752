import { hash, timingSafeEqual } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { AppError } from '../../shared/app-error.ts';
import { type Clock, toIso } from '../../shared/clock.ts';
import { WorkspaceName } from '../../shared/domain/workspace.ts';
import type {
  ApiToken,
  TokenAllowance,
  TokenCache,
  TokenRateLimit,
} from '../../shared/stores/token-store.ts';
import type { Caller } from '../request-facts.ts';
import type { Guard } from '../serve-operation.ts';

export type AuthenticateDeps = {
  adminToken: string;
  tokens: Pick<TokenCache, 'find'>;
  limit: (tokenId: string, rateLimit: TokenRateLimit) => Promise<TokenAllowance>;
  clock: Clock;
};

const BEARER = /^Bearer +([\x21-\x7e]{1,512}) *$/i;
const sha256 = (text: string) => hash('sha256', text, 'buffer');

/** Who calls, by `Authorization: Bearer`, and whether the token's scopes allow the operation. */
export function createGuard(deps: AuthenticateDeps): Guard {
  const adminHash = sha256(deps.adminToken);

  async function authenticate(req: Request): Promise<Caller> {
    const given = BEARER.exec(req.headers.authorization ?? '')?.[1];
    if (given === undefined) {
      throw unauthorized(
        req.headers.authorization === undefined
          ? 'The Authorization header is missing; send "Authorization: Bearer TOKEN".'
          : 'The Authorization header is not of the form "Bearer TOKEN".',
      );
    }
    const givenHash = sha256(given);
    // Both sides have the same length, so that the comparison tells nothing by its time.
    if (timingSafeEqual(givenHash, adminHash)) return asAdmin(req);
    const token = await deps.tokens.find(givenHash.toString('hex'));
    if (!token) throw unauthorized('The token is unknown or was deleted.', 'invalid_token');
    return asToken(token, req);
  }

  async function asToken(token: ApiToken, req: Request): Promise<Caller> {
    if (token.expiresAtMs !== undefined && token.expiresAtMs <= deps.clock.nowMs()) {
      throw unauthorized(`The token expired at ${toIso(token.expiresAtMs)}.`, 'invalid_token');
    }
    const wanted = req.headers['x-workspace'];
    if (wanted !== undefined && wanted !== token.workspace) {
      // The console tells this refusal from others by its naming the header.
      throw new AppError('insufficient_scope', 'Only ADMIN_TOKEN may choose its workspace by X-Workspace.');
    }
    if (token.rateLimit && req.res) await spend(token.id, token.rateLimit, req.res);
    return { workspace: token.workspace, scopes: token.scopes, isAdmin: false, tokenId: token.id };
  }

  /** One request of the token's own limit, which answers show unless they show that of an account. */
  async function spend(tokenId: string, rateLimit: TokenRateLimit, res: Response): Promise<void> {
    const { isOver, remaining, resetMs } = await deps.limit(tokenId, rateLimit);
    const seconds = Math.ceil(resetMs / 1_000);
    res.setHeader('ratelimit-limit', `${rateLimit.requests};w=${rateLimit.per_seconds}`);
    res.setHeader('ratelimit-remaining', String(remaining));
    res.setHeader('ratelimit-reset', String(seconds));
    if (isOver) throw new AppError('token_rate_limited', undefined, { retryAfterSeconds: seconds });
  }

  return {
    authenticate: async (req, res, next) => {
      res.locals.caller = await authenticate(req);
      next();
    },
    requireScope: (scope): RequestHandler => {
      return (_req, res, next) => {
        const scopes = res.locals.caller?.scopes ?? [];
        if (!scopes.includes(scope) && !scopes.includes('admin')) {
          throw new AppError('insufficient_scope', `The token lacks the scope "${scope}".`, {
            headers: { 'WWW-Authenticate': challenge('insufficient_scope', undefined, scope) },
          });
        }
        next();
      };
    },
  };
}

function asAdmin(req: Request): Caller {
  const named = WorkspaceName.safeParse(req.headers['x-workspace'] ?? 'default');
  if (!named.success) {
    throw new AppError('invalid_header', `X-Workspace ${named.error.issues[0]?.message ?? 'is not valid'}.`);
  }
  return { workspace: named.data, scopes: ['admin'], isAdmin: true };
}

function unauthorized(message: string, error?: string): AppError {
  return new AppError('unauthorized', message, {
    headers: { 'WWW-Authenticate': challenge(error, message) },
  });
}

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
function challenge(error: string | undefined, description?: string, scope?: string): string {
  const parts = ['Bearer realm="dealwright"'];
  if (error) parts.push(`error="${error}"`);
  if (error && description) parts.push(`error_description="${description.replaceAll('"', "'")}"`);
  if (scope) parts.push(`scope="${scope}"`);
  return parts.join(', ');
}
