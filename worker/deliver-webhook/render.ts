import type { WebhookPayload } from '../../shared/domain/webhook.ts';

export const PAYLOAD_BYTES_MAX = 256 * 1024;

/**
 * The body of a webhook. The same payload gives the same bytes, at every try. One that is too large has what makes it so
 * replaced by a link, the largest part of a job first: its result, then the providers' words, then its request.
 */
export function renderPayload(payload: WebhookPayload): string {
  const whole = JSON.stringify(payload);
  if (fits(whole) || !isRecord(payload.data)) return whole;
  const { data } = payload;
  const bytes = Buffer.byteLength(whole);
  const link = {
    object: 'link',
    href: `/jobs/${String(data.id)}`,
    reason: 'too_large',
    payload_bytes: bytes,
  };
  const slim: Record<string, unknown>[] = [{ ...data, result: data.result === null ? null : link }];
  slim.push({ ...slim[0], attempts: shortAttempts(data.attempts), error: shortError(data.error) });
  slim.push({ ...slim[1], request: link, applied_defaults: {}, attempts: [] });
  for (const shorter of slim) {
    const text = JSON.stringify({ ...payload, data: shorter });
    if (fits(text)) return text;
  }
  return JSON.stringify({
    ...payload,
    data: { id: data.id, object: data.object, status: data.status, result: link },
  });
}

const fits = (text: string) => Buffer.byteLength(text) < PAYLOAD_BYTES_MAX;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shortAttempts(attempts: unknown): unknown {
  if (!Array.isArray(attempts)) return attempts;
  return attempts.map((attempt) => {
    const { request: _, response: __, ...rest } = isRecord(attempt) ? attempt : {};
    return rest;
  });
}

function shortError(error: unknown): unknown {
  if (!isRecord(error)) return error;
  const { raw_response: _, ...rest } = error;
  return rest;
}
