import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureFacts, RateLimitHit, WriteFailure } from '../../shared/domain/failure.ts';
import {
  backoffMs,
  decide,
  nextProbeAtMs,
  type Policy,
  policyOf,
  type Standing,
  verdictAtMs,
} from '../../worker/write-opportunity/decide.ts';

const NOW = 1_000_000_000;
const HOUR = 3_600_000;
const POLICY: Policy = { maxAttempts: 8, deadlineMs: 24 * HOUR, settleMs: 60_000, probes: 5 };
const FACTS: FailureFacts = { code: 'provider_error', message: 'm' };

function standing(overrides: Partial<Standing> = {}): Standing {
  return { attemptsSpent: 1, limitHits: 1, deadlineAtMs: NOW + 24 * HOUR, ...overrides };
}

const limited = (limit: RateLimitHit): WriteFailure => ({ kind: 'rate_limited', limit, ...FACTS });
const failure = (kind: 'permanent' | 'ambiguous' | 'needs_reauth' | 'retryable'): WriteFailure => ({
  kind,
  ...FACTS,
});

const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('after a failed attempt', () => {
  it.each([
    ['permanent', { kind: 'fail', code: 'provider_error' }],
    ['ambiguous', { kind: 'reconcile' }],
    ['needs_reauth', { kind: 'hold' }],
  ] as const)('that was %s the decision is fixed, whatever is left of budget and time', (kind, expected) => {
    for (const where of [standing(), standing({ attemptsSpent: 99, deadlineAtMs: NOW - 1 })])
      expect(decide(failure(kind), where, POLICY, NOW, 0.5)).toEqual(expected);
  });

  it('that may be repeated it is repeated after a growing wait, until the attempts are spent', () => {
    for (let spent = 1; spent < 8; spent++) {
      const decision = decide(failure('retryable'), standing({ attemptsSpent: spent }), POLICY, NOW, 0.999);
      expect(decision).toMatchObject({ kind: 'wait', reason: 'retry_backoff', wholeQueue: false });
      if (decision.kind === 'wait') expect(decision.untilMs - NOW).toBeCloseTo(1_000 * 2 ** spent, -3);
    }
    expect(decide(failure('retryable'), standing({ attemptsSpent: 8 }), POLICY, NOW, 0)).toEqual({
      kind: 'fail',
      code: 'attempts_exhausted',
    });
  });

  it('fails instead of waiting past the deadline', () => {
    const where = standing({ deadlineAtMs: NOW + 100 });
    const expected = { kind: 'fail', code: 'deadline_exceeded' };
    expect(decide(failure('retryable'), where, POLICY, NOW, 0.5)).toEqual(expected);
    expect(decide(limited({ scope: 'account', untilMs: NOW + 101 }), where, POLICY, NOW, 0)).toEqual(
      expected,
    );
    expect(decide(limited({ scope: 'account', untilMs: NOW + 100 }), where, POLICY, NOW, 0)).toMatchObject({
      kind: 'wait',
    });
  });
});

describe('after a limit', () => {
  it('with a stated time the job comes back then or a little later, never earlier', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: HOUR }), randoms, (ms, random) => {
        const hit = limited({ scope: 'account', untilMs: NOW + ms });
        const decision = decide(hit, standing(), POLICY, NOW, random);
        if (decision.kind !== 'wait') throw new Error(decision.kind);
        expect(decision.untilMs).toBeGreaterThanOrEqual(NOW + ms);
        expect(decision.untilMs).toBeLessThanOrEqual(NOW + ms + 250);
      }),
    );
  });

  it.each(['account', 'daily', 'concurrency'] as const)('of the %s the whole queue waits', (scope) => {
    expect(decide(limited({ scope }), standing(), POLICY, NOW, 0.5)).toMatchObject({
      kind: 'wait',
      reason: 'rate_limited',
      wholeQueue: true,
    });
  });

  it('of one parent only this job waits, and not for long', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), randoms, (limitHits, random) => {
        const decision = decide(limited({ scope: 'parent' }), standing({ limitHits }), POLICY, NOW, random);
        expect(decision).toMatchObject({ kind: 'wait', wholeQueue: false });
        if (decision.kind === 'wait') expect(decision.untilMs - NOW).toBeLessThanOrEqual(30_000);
      }),
    );
  });

  it('spends no attempt: it is waited for although none is left', () => {
    const where = standing({ attemptsSpent: 8 });
    expect(decide(limited({ scope: 'account' }), where, POLICY, NOW, 0)).toMatchObject({ kind: 'wait' });
  });
});

it('the backoff stays between a quarter second and its ceiling, for any number and any chance', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), randoms, (n, random) => {
      const ms = backoffMs(n, random);
      expect(ms).toBeGreaterThanOrEqual(250);
      expect(ms).toBeLessThanOrEqual(Math.min(300_000, 1_000 * 2 ** Math.min(n, 30)));
      expect(Number.isInteger(ms)).toBe(true);
    }),
  );
});

describe('the policy', () => {
  it('is the provider’s unless the account says otherwise', () => {
    const provider = { settleMs: 90_000, probes: 5 };
    expect(policyOf({}, provider)).toEqual({
      maxAttempts: 8,
      deadlineMs: 24 * HOUR,
      settleMs: 90_000,
      probes: 5,
    });
    const own = {
      retry: { max_attempts: 2, deadline_seconds: 10 },
      reconcile: { settle_ms: 0, probes: 1 },
    };
    expect(policyOf(own, provider)).toEqual({ maxAttempts: 2, deadlineMs: 10_000, settleMs: 0, probes: 1 });
  });
});

describe('probes for a lost create', () => {
  const send = (verdict: number) => ({ attempt: 1, sentAtProviderMs: NOW, verdictAtMs: verdict });

  it('no verdict falls before the request can have left, run out of time and settled', () => {
    expect(verdictAtMs(NOW, 30_000, POLICY)).toBe(NOW + 90_000);
  });

  it('come ever later, the last one not before the verdict, and then end', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: HOUR }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (probes, spanMs, lateness) => {
          const policy = { ...POLICY, probes };
          const sends = [send(NOW + spanMs)];
          let now = NOW;
          let looks = 0;
          for (let done = 0; ; done++) {
            const at = nextProbeAtMs(sends, done, policy, now, false);
            if (at === undefined) break;
            // Every look is at its time or late, as a loaded worker is.
            now = Math.max(now, Math.round(at + lateness * 1_000));
            looks++;
            if (looks > probes + 1) throw new Error('it looks for ever');
          }
          expect(now).toBeGreaterThanOrEqual(NOW + spanMs);
          expect(looks).toBeGreaterThanOrEqual(Math.min(probes, 1));
        },
      ),
    );
  });

  it('wait for the latest of several lost creates', () => {
    const sends = [send(NOW + 50_000), send(NOW + 10_000)];
    expect(nextProbeAtMs(sends, POLICY.probes - 1, POLICY, NOW, false)).toBe(NOW + 50_000);
    expect(nextProbeAtMs(sends, POLICY.probes, POLICY, NOW + 20_000, false)).toBe(NOW + 50_000);
  });

  it('by a unique key come soon and go on, at most a minute apart', () => {
    expect(nextProbeAtMs([send(NOW + HOUR)], 0, POLICY, NOW, true)).toBe(NOW + 1_500);
    for (let done = 1; done < 40; done++) {
      const at = nextProbeAtMs([send(NOW + HOUR)], done, POLICY, NOW, true) ?? 0;
      expect(at - NOW).toBeGreaterThanOrEqual(1_500);
      expect(at - NOW).toBeLessThanOrEqual(60_000);
    }
  });

  it('of nothing lost there are none', () => {
    expect(nextProbeAtMs([], 0, POLICY, NOW, false)).toBeUndefined();
  });
});
