import { describe, expect, it } from 'vitest';
import { descriptors } from '../../shared/providers/descriptors.ts';
import { lessonsOf } from '../../shared/providers/lessons.ts';
import type { CallPurpose } from '../../shared/providers/port.ts';

const NOW = 1_700_000_000_000;
type Headers = Record<string, string>;

function learn(
  provider: keyof typeof descriptors,
  headers: Headers,
  { status = 200, body = {}, purpose = 'create' as CallPurpose, pace = { learns: true, perMs: 1_000 } } = {},
) {
  const answer = { kind: 'answered', status, headers, body, receivedAtMs: NOW } as const;
  return lessonsOf(descriptors[provider], { method: 'POST', path: '/', purpose }, answer, NOW, pace);
}

describe('the pace of creates', () => {
  it.each<[keyof typeof descriptors, Headers, object | undefined]>([
    [
      'close',
      { ratelimit: 'limit=240; remaining=239; reset=2' },
      { limit: 240, withinMs: 2_000, isAtLeast: true },
    ],
    [
      'close',
      { ratelimit: 'limit=100, remaining=50, reset=0.5' },
      { limit: 100, withinMs: 500, isAtLeast: true },
    ],
    [
      'close',
      { 'x-ratelimit-limit': '60, 60;w=1, 100;w=1' },
      { limit: 60, withinMs: 1_000, isAtLeast: false },
    ],
    [
      'close',
      { 'x-rate-limit-limit': '40', 'x-rate-limit-reset': '12.5' },
      { limit: 40, withinMs: 12_500, isAtLeast: true },
    ],
    ['close', { 'ratelimit-limit': '60' }, undefined],
    ['close', { ratelimit: 'limit=0; remaining=0; reset=2' }, undefined],
    ['close', {}, undefined],
    [
      'capsule',
      {
        'x-ratelimit-limit': '4000',
        'x-ratelimit-remaining': '1',
        'x-ratelimit-reset': `${NOW / 1_000 + 3_600}`,
      },
      { limit: 4_000, withinMs: 3_600_000, isAtLeast: true },
    ],
    // Whole seconds: a window of one second may be stated as two.
    [
      'capsule',
      { 'x-ratelimit-limit': '20', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': `${NOW / 1_000 + 2}` },
      { limit: 20, withinMs: 1_000, isAtLeast: true },
    ],
    ['salesforce', { 'sforce-limit-info': 'api-usage=25/5000' }, undefined],
  ])('of %s by %j is %j', (provider, headers, stated) => {
    expect(learn(provider, headers).stated).toEqual(stated);
  });

  it('is learned from creates only, and from no refusal', () => {
    const headers = { ratelimit: 'limit=240; remaining=0; reset=2' };
    expect(learn('close', headers, { purpose: 'look_up' }).stated).toBeUndefined();
    expect(learn('close', headers, { status: 429 }).stated).toBeUndefined();
  });
});

describe('a limit that was met', () => {
  it('slows the account down where nobody had stated it', () => {
    expect(learn('close', {}, { status: 429 }).goSlower).toBe(true);
    expect(learn('close', { 'retry-after': '2' }, { status: 429 })).toMatchObject({
      goSlower: true,
      block: { ms: 2_000 },
    });
    const hidden = { ratelimit: 'limit=240; remaining=239; reset=2', 'retry-after': '3' };
    expect(learn('close', hidden, { status: 429 })).toMatchObject({ goSlower: true, block: { ms: 3_000 } });
    expect(learn('capsule', {}, { status: 429, body: { error: 'rate limit reached' } }).goSlower).toBe(true);
  });

  it('does not where a window is used up that was stated, nor for the day', () => {
    const spent = { ratelimit: 'limit=240; remaining=0; reset=2' };
    expect(learn('close', spent, { status: 429 })).toMatchObject({ goSlower: false, block: { ms: 2_000 } });
    const body = [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }];
    expect(learn('salesforce', {}, { status: 403, body }).goSlower).toBe(false);
  });

  it('without a stated time is rested for two seconds, or for the window that was set for the account if that is shorter', () => {
    const restOf = (pace: { learns: boolean; perMs: number }) =>
      learn('close', {}, { status: 429, pace }).block;
    expect(restOf({ learns: true, perMs: 1_000 })).toMatchObject({ firstMs: 2_000 });
    expect(restOf({ learns: false, perMs: 1_000 })).toMatchObject({ firstMs: 1_000 });
    expect(restOf({ learns: false, perMs: 3_600_000 })).toMatchObject({ firstMs: 2_000 });
  });

  it('under one record is no limit of the account', () => {
    const body = [{ errorCode: 'UNABLE_TO_LOCK_ROW', message: 'locked' }];
    const learned = learn('salesforce', {}, { status: 400, body });
    expect(learned).toMatchObject({ isLocked: true, availability: 'up' });
    expect(learned.block).toBeUndefined();
  });
});
