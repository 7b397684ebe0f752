import { createHmac, timingSafeEqual } from 'node:crypto';

export type Verdict = { ok: true } | { ok: false; reason: string };
export type HeaderReader = (name: string) => string | undefined;

const TOLERANCE_S = 5 * 60;

/**
 * Verifies a webhook as the Standard Webhooks specification tells receivers to: the signed content is `id.timestamp.body`, the
 * signature header holds one or more `version,signature` pairs separated by blanks, one match is enough, and a timestamp far
 * from now is refused whatever its signature.
 * @param secrets as they were shown, `whsec_…`.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#verifying-webhook-authenticity
 */
export function verifyWebhook(
  header: HeaderReader,
  body: Buffer,
  secrets: readonly string[],
  nowMs: number,
  toleranceS = TOLERANCE_S,
): Verdict {
  const id = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  const signatures = header('webhook-signature');
  if (!id || !timestamp || !signatures) return { ok: false, reason: 'a webhook header is missing' };
  if (id.includes('.')) return { ok: false, reason: 'the id holds a dot' };
  if (!/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: 'the timestamp is no number of seconds' };
  if (Math.abs(nowMs / 1_000 - Number(timestamp)) > toleranceS)
    return { ok: false, reason: 'the timestamp is too far from now' };
  const given = signatures
    .split(' ')
    .filter((pair) => pair.startsWith('v1,'))
    .map((pair) => Buffer.from(pair.slice(3), 'base64'));
  if (given.length === 0) return { ok: false, reason: 'no signature of version 1' };
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = secrets.map((secret) => createHmac('sha256', keyOf(secret)).update(signed).digest());
  const matches = expected.some((one) => given.some((other) => isEqual(one, other)));
  return matches ? { ok: true } : { ok: false, reason: 'no signature fits' };
}

/** `X-Truto-Signature: format=sha256,v=HEX`, over the body alone, keyed with the whole text of the secret. */
export function verifyTruto(header: HeaderReader, body: Buffer, secret: string): Verdict {
  const hex = /^format=sha256,v=([0-9a-f]{64})$/.exec(header('x-truto-signature') ?? '')?.[1];
  if (hex === undefined) return { ok: false, reason: 'X-Truto-Signature is missing or malformed' };
  const expected = createHmac('sha256', secret).update(body).digest();
  return isEqual(expected, Buffer.from(hex, 'hex')) ? { ok: true } : { ok: false, reason: 'it does not fit' };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret, 'base64');
}

function isEqual(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
