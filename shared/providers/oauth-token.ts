import { z } from 'zod';
import { describeBody } from './failure-outcome.ts';
import type { AnsweredCall, TokenReading } from './port.ts';

const Token = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).nullish().catch(null),
  expires_in: z.coerce.number().positive().nullish().catch(null),
});

const TokenError = z.looseObject({ error: z.string().min(1) });

/**
 * A token endpoint's answer. Whichever refresh token comes back replaces the stored one: where they rotate,
 * the old one is revoked by then. Dead is a grant that was refused: by the statuses the standard has for that, or by another one of the
 * client's fault with an error as the standard words it. Whatever stands before the endpoint (a firewall's 403, a 404 in a maintenance)
 * says nothing about the grant; limits and outages neither.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-5
 */
export function readOAuthToken(answer: AnsweredCall, nowMs: number, provider: string): TokenReading {
  const { status, body } = answer;
  const parsed = status >= 200 && status < 300 ? Token.safeParse(body) : undefined;
  if (parsed?.success) {
    const { access_token, refresh_token, expires_in } = parsed.data;
    return {
      kind: 'tokens',
      update: {
        access_token,
        ...(refresh_token ? { refresh_token } : {}),
        ...(expires_in ? { access_token_expires_at_ms: nowMs + expires_in * 1000 } : {}),
      },
    };
  }
  // A success is never quoted: it may hold a token we could not make out.
  const words = status < 300 ? 'an unreadable token answer' : describeBody(body, `status ${status}`);
  const message = `${provider} token endpoint: ${words}`;
  const isOfClient = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  const isRefused = isOfClient && (status <= 401 || TokenError.safeParse(body).success);
  return { kind: isRefused ? 'dead' : 'retryable', message };
}
