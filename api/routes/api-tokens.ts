import { AppError } from '../../shared/app-error.ts';
import { type Clock, toIso, toIsoOrNull } from '../../shared/clock.ts';
import { SCOPES } from '../../shared/contract/operation.ts';
import * as operations from '../../shared/contract/operations/tokens.ts';
import type { ApiToken, TokenStore } from '../../shared/stores/token-store.ts';
import { throwFailures } from '../../shared/use-cases/validate-connection.ts';
import type { Caller } from '../request-facts.ts';
import type { Serve } from '../serve-operation.ts';

export type TokenDeps = { tokens: TokenStore; clock: Clock };

/** `/api-tokens`. ADMIN_TOKEN rules over every workspace, a token with the scope `admin` over its own. */
export function serveApiTokens(serve: Serve, { tokens, clock }: TokenDeps): void {
  serve(operations.createApiToken, async ({ body, caller }) => {
    const workspace = body.workspace ?? caller.workspace;
    assertOwn(caller, workspace);
    const expiresAtMs = body.expires_at ? Date.parse(body.expires_at) : undefined;
    if (expiresAtMs !== undefined && expiresAtMs <= clock.nowMs()) {
      throwFailures([{ pointer: '/expires_at', code: 'invalid_value', message: 'must lie in the future' }]);
    }
    const { secret, token } = await tokens.create({
      workspace,
      name: body.name,
      scopes: SCOPES.filter((scope) => body.scopes.includes(scope)),
      expiresAtMs,
      rateLimit: body.rate_limit ?? undefined,
    });
    return { status: 201, body: { ...view(token), token: secret } };
  });

  serve(operations.listApiTokens, async ({ query, caller }) => {
    const workspace = query.workspace ?? (caller.isAdmin ? undefined : caller.workspace);
    if (workspace !== undefined) assertOwn(caller, workspace);
    const data = (await tokens.list(workspace)).map(view);
    return { status: 200, body: { object: 'list', data, next_cursor: null } };
  });

  serve(operations.deleteApiToken, async ({ params, caller }) => {
    const removed = await tokens.remove(params.id, caller.isAdmin ? undefined : caller.workspace);
    if (!removed) throw new AppError('not_found', 'There is no such token.');
    return { status: 204 };
  });
}

function assertOwn(caller: Caller, workspace: string): void {
  if (caller.isAdmin || caller.workspace === workspace) return;
  throw new AppError('insufficient_scope', 'Only ADMIN_TOKEN may act for another workspace.');
}

function view(token: ApiToken): operations.TokenView {
  return {
    id: token.id,
    object: 'api_token',
    name: token.name ?? null,
    workspace: token.workspace,
    scopes: SCOPES.filter((scope) => token.scopes.includes(scope)),
    last_four: token.lastFour,
    rate_limit: token.rateLimit ?? null,
    created_at: toIso(token.createdAtMs),
    expires_at: toIsoOrNull(token.expiresAtMs),
  };
}
