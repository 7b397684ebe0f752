import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { verifyTruto, verifyWebhook } from '../../sandbox/receiver/verify.ts';
import { readConfig } from '../../shared/config.ts';
import { deliveryIdOf, endpointOfDelivery } from '../../shared/domain/webhook.ts';
import { decideDelivery, isFailingTooLong, type Posted } from '../../worker/deliver-webhook/decide.ts';
import { redactResponse } from '../../worker/deliver-webhook/redact.ts';
import { PAYLOAD_BYTES_MAX, renderPayload } from '../../worker/deliver-webhook/render.ts';
import { signForTruto, signWebhook } from '../../worker/deliver-webhook/sign.ts';

const SCHEDULE = readConfig({}).webhookRetrySeconds.map((seconds) => seconds * 1_000);
const NOW = Date.parse('2026-03-01T12:00:00Z');
const answered = (status: number, retryAfter?: string): Posted => ({
  kind: 'answered',
  status,
  body: '',
  ...(retryAfter === undefined ? {} : { retryAfter }),
});
const next = (posted: Posted, tried: number, random = 0) =>
  decideDelivery(posted, tried, SCHEDULE, NOW, random);

describe('what follows a try', () => {
  it('is the published schedule: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h', () => {
    const [s, min, h] = [1_000, 60_000, 3_600_000];
    expect(SCHEDULE).toEqual([0, 5 * s, 5 * min, 30 * min, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h]);
  });

  it.each([199, 300, 301, 302, 307, 308, 400, 401, 404, 408, 429, 500, 502, 503, 504])(
    '%i is a failure',
    (status) => expect(next(answered(status), 1).kind).toBe('retry'),
  );
  it.each([200, 201, 202, 204, 299])('%i is success', (status) =>
    expect(next(answered(status), 1)).toEqual({ kind: 'delivered' }),
  );
  it('410 ends it, at whatever try', () =>
    expect(next(answered(410), 1)).toEqual({ kind: 'failed', reason: 'endpoint_gone' }));
  it('no answer is a failure', () =>
    expect(next({ kind: 'unanswered', error: 'ECONNREFUSED' }, 1)).toEqual({
      kind: 'retry',
      atMs: NOW + 5_000,
    }));
  it('after the tenth try it is over', () =>
    expect(next(answered(500), 10)).toEqual({ kind: 'failed', reason: 'attempts_exhausted' }));
  it('jitter only adds, at most a tenth', () => {
    expect(next(answered(500), 2, 0)).toEqual({ kind: 'retry', atMs: NOW + 300_000 });
    expect(next(answered(500), 2, 0.999)).toMatchObject({ kind: 'retry', atMs: NOW + 329_970 });
  });

  const RETRY_AFTER: [Posted, number, number | undefined][] = [
    // answer → wait after the first try, how long the endpoint is left alone
    [answered(429, '120'), 120_000, 120_000],
    [answered(503, '120'), 120_000, 120_000],
    [answered(429, 'Sun, 01 Mar 2026 12:02:00 GMT'), 120_000, 120_000],
    // Never before the schedule's own time: ten answers of "1 s" must not use up three days.
    [answered(429, '1'), 5_000, 1_000],
    [answered(429, 'soon'), 5_000, undefined],
    [answered(429), 5_000, undefined],
    [answered(500, '120'), 5_000, undefined],
    [answered(429, '999999999'), 86_400_000, 3_600_000],
  ];
  it.each(RETRY_AFTER)('%j waits %i ms, and the endpoint %s', (posted, waitMs, blockMs) => {
    const expected = { kind: 'retry', atMs: NOW + waitMs };
    expect(next(posted, 1)).toEqual(
      blockMs === undefined ? expected : { ...expected, blockedUntilMs: NOW + blockMs },
    );
  });

  it('five days of only failures are too long, a moment less is not, and a success is none', () => {
    const fiveDays = 5 * 86_400_000;
    expect(isFailingTooLong(NOW - fiveDays, NOW)).toBe(true);
    expect(isFailingTooLong(NOW - fiveDays + 1, NOW)).toBe(false);
    expect(isFailingTooLong(0, NOW)).toBe(false);
  });
});

describe('ids', () => {
  const endpoint = '7b0c4d0e-3f5a-4a43-9a3e-5b7b4d2f1c11';
  it('follow from event and endpoint, have no dot, and tell the endpoint', () => {
    const id = deliveryIdOf('019b0c7e-6d1f-7a53-9c41-5f2e8a7d0b2a.3', endpoint);
    expect(id).toMatch(/^[\w]{1,128}$/);
    expect(endpointOfDelivery(id)).toBe(endpoint);
    expect(deliveryIdOf('019b0c7e-6d1f-7a53-9c41-5f2e8a7d0b2a.4', endpoint)).not.toBe(id);
  });
  it.each(['', 'dlv_x', `dlv_${endpoint}_1_1`, '../../etc'])('%j is none', (id) =>
    expect(endpointOfDelivery(id)).toBeUndefined(),
  );
});

describe('signatures', () => {
  const secrets = [
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    `whsec_${Buffer.alloc(32, 9).toString('base64')}`,
  ];
  const body = '{"ok":"ümlaut"}';
  const seconds = Math.floor(Date.now() / 1_000);
  const headers = signWebhook('dlv_1', seconds, body, secrets);
  const read = (name: string) => headers[name];

  it('are those of the library and of the sandbox, for each secret', () => {
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(body, headers)).toEqual({ ok: 'ümlaut' });
      expect(verifyWebhook(read, Buffer.from(body), [secret], Date.now())).toEqual({ ok: true });
      const signature = new Webhook(secret).sign('dlv_1', new Date(seconds * 1_000), body);
      expect(headers['webhook-signature']?.split(' ')).toContain(signature);
    }
  });

  it('do not fit another body, id, time or secret', () => {
    const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    const check = (changed: Record<string, string>, text = body, known = secrets) =>
      verifyWebhook((name) => ({ ...headers, ...changed })[name], Buffer.from(text), known, Date.now()).ok;
    expect(check({})).toBe(true);
    expect(check({}, `${body} `)).toBe(false);
    expect(check({}, body, [other])).toBe(false);
    expect(check({ 'webhook-id': 'dlv_2' })).toBe(false);
    expect(check({ 'webhook-timestamp': String(seconds + 1) })).toBe(false);
    expect(check({ 'webhook-timestamp': String(seconds - 301) })).toBe(false);
    expect(check({ 'webhook-signature': 'v1a,AAAA v2,BBBB' })).toBe(false);
  });

  it("in Truto's format are over the body alone", () => {
    const truto = signForTruto(body, secrets[0] ?? '');
    expect(verifyTruto((name) => truto[name], Buffer.from(body), secrets[0] ?? '').ok).toBe(true);
    expect(verifyTruto((name) => truto[name], Buffer.from(`${body}x`), secrets[0] ?? '').ok).toBe(false);
  });
});

describe('payloads', () => {
  const payload = (data: unknown) => ({
    type: 'job.succeeded' as const,
    timestamp: '2026-01-15T09:30:00.000Z',
    sequence: 3,
    data,
  });
  const job = { id: 'J', object: 'job', status: 'succeeded', result: null, attempts: [], error: null };
  const big = 'x'.repeat(300_000);

  it('are sent whole while they are small', () => {
    const small = payload({ ...job, result: { id: '1' } });
    expect(JSON.parse(renderPayload(small))).toEqual(small);
  });

  it.each([
    ['result', { ...job, result: { remote_data: big } }],
    [
      'words of the provider',
      { ...job, attempts: [{ number: 1, response: big }], error: { raw_response: big } },
    ],
    ['request', { ...job, request: { body: { description: big } } }],
    ['everything', { ...job, warnings: [{ message: big }] }],
  ])('that are too large for their %s stay under 256 KB and keep what tells them apart', (_, data) => {
    const text = renderPayload(payload(data));
    expect(Buffer.byteLength(text)).toBeLessThan(PAYLOAD_BYTES_MAX);
    expect(JSON.parse(text)).toMatchObject({ sequence: 3, data: { id: 'J', status: 'succeeded' } });
  });

  it('link a result that is too large', () => {
    const { data } = JSON.parse(renderPayload(payload({ ...job, result: { remote_data: big } })));
    expect(data.result).toMatchObject({ object: 'link', href: '/jobs/J' });
    expect(data.attempts).toEqual([]);
  });
});

describe('answers of receivers', () => {
  it.each([
    ['{"token":"abc","ok":1}', '{"token":***,"ok":1}'],
    ['Authorization: Bearer abc.def-123456', 'Authorization: ***'],
    ['api_key=12345&x=1', 'api_key=***&x=1'],
    [`got whsec_${'A'.repeat(40)}=`, 'got ***'],
    ['x-truto-signature: format=sha256,v=00ff', 'x-truto-signature: ***'],
    ['plain text', 'plain text'],
    ['bell \u0007 rings', 'bell   rings'],
  ])('%j are shown as %j', (body, shown) => expect(redactResponse(body)).toBe(shown));
  it('are cut', () => expect(redactResponse('y'.repeat(5_000))).toHaveLength(1_001));
});
