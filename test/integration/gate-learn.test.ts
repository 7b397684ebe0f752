import { describe, expect, it } from 'vitest';
import * as capsule from '../../sandbox/capsule/limits.ts';
import * as close from '../../sandbox/close/limits.ts';
import { defaultOptions } from '../../sandbox/close/options.ts';
import { createSlidingWindow } from '../../sandbox/core/window.ts';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { Leaving } from '../../shared/providers/gate.ts';
import { lessonsOf } from '../../shared/providers/lessons.ts';
import { aTestRedis } from '../support/redis.ts';
import { aGate, aPace, type VirtualGate } from './gate-support.ts';

const CLOSE_OPTIONS = defaultOptions();

/** A default of 20 a second, for an account that says nothing itself. */
const DEFAULT = aPace({ requests: 20, learns: true });

/** How a provider answers: what it says of its limit, by the state of its window. */
type Says = (
  state: { remaining: number; resetAtMs: number; limit: number },
  isRefused: boolean,
  nowMs: number,
) => Leaving;

/** The answers of a provider's sandbox, read as those of the provider are. */
function asOf(provider: 'close' | 'capsule'): Says {
  const descriptor = descriptors[provider];
  const request = { method: 'POST', path: '/', purpose: 'create' } as const;
  return (state, isRefused, nowMs) => {
    const told = { ...state, used: state.limit - state.remaining };
    const hint = { ...told, reason: 'window' } as const;
    const answer =
      provider === 'close'
        ? {
            ok: close.successHeaders(told, CLOSE_OPTIONS, nowMs),
            refusal: close.limitAnswer(hint, CLOSE_OPTIONS, nowMs),
          }
        : { ok: capsule.successHeaders(told, nowMs), refusal: capsule.limitAnswer(hint, nowMs) };
    const said = { ...(isRefused ? answer.refusal.headers : answer.ok), date: new Date(nowMs).toUTCString() };
    const headers = Object.fromEntries(Object.entries(said).map(([k, v]) => [k.toLowerCase(), String(v)]));
    const status = isRefused ? 429 : 200;
    return lessonsOf(
      descriptor,
      request,
      { kind: 'answered', status, headers, body: {}, receivedAtMs: nowMs },
      nowMs,
      DEFAULT,
    );
  };
}

const NOTHING: Says = (_, isRefused) =>
  isRefused ? { block: { firstMs: 2_000, maxMs: 300_000 }, goSlower: true } : { succeeded: true };

/**
 * Creates without a pause, against a provider with a strict window of one second on the gate's clock.
 * @returns what came of the calls in each second.
 */
async function drain(gate: VirtualGate, limit: number, says: Says, forSeconds: number, pace = DEFAULT) {
  const window = createSlidingWindow(limit, 1_000);
  const seconds = Array.from({ length: forSeconds }, () => ({ served: 0, refused: 0 }));
  const beganMs = await gate.nowMs();
  for (;;) {
    let entered = await gate.enter(pace, { waitMsMax: 250 });
    // As a call does: it waits for its slot, and asks again.
    while (entered.kind === 'go' && entered.waitMs > 0) {
      await gate.advance(entered.waitMs);
      entered = { ...(await gate.again(entered.lease, pace)), lease: entered.lease };
    }
    if (entered.kind === 'later') await gate.advance(entered.ms);
    const nowMs = await gate.nowMs();
    const second = seconds[Math.floor((nowMs - beganMs) / 1_000)];
    if (!second) return seconds;
    if (entered.kind === 'later') continue;
    const taken = window.take(nowMs);
    const { remaining, resetAtMs } = window.state(nowMs);
    await gate.leave(entered.lease, says({ remaining, resetAtMs, limit }, !taken, nowMs), nowMs);
    second[taken ? 'served' : 'refused']++;
  }
}

const sum = (seconds: { served: number; refused: number }[], what: 'served' | 'refused') =>
  seconds.reduce((total, second) => total + second[what], 0);

describe('a limit the provider states', () => {
  it.each([
    ['higher than the default, by Close', 16, 5, 'close'],
    ['lower than the default, by Close', 6, 20, 'close'],
    ['higher than the default, by Capsule', 16, 5, 'capsule'],
    ['lower than the default, by Capsule', 5, 20, 'capsule'],
  ] as const)('%s becomes the pace, and is not met', async (_, limit, byDefault, provider) => {
    const gate = aGate(await aTestRedis());
    const pace = { ...DEFAULT, requests: byDefault };
    const seconds = await drain(gate, limit, asOf(provider), 8, pace);
    // One while it learns; a call that this machine delivers late now and then meets a window a hundredth too early.
    expect(sum(seconds, 'refused')).toBeLessThanOrEqual(4);
    // The first seconds are for learning.
    expect(sum(seconds.slice(3), 'served') / 5).toBeGreaterThan(limit * 0.8);
  });

  it('is the pace at once when it changes', async () => {
    const gate = aGate(await aTestRedis());
    await drain(gate, 16, asOf('close'), 3);
    const lower = await drain(gate, 6, asOf('close'), 5);
    expect(sum(lower.slice(2), 'refused')).toBe(0);
    expect(sum(lower.slice(2), 'served') / 3).toBeGreaterThan(4.8);
  });

  it('is nothing to an account that has a pace of its own', async () => {
    const gate = aGate(await aTestRedis());
    const own = { ...DEFAULT, learns: false };
    const seconds = await drain(gate, 100, asOf('close'), 3, own);
    expect(sum(seconds, 'served') / 3).toBeLessThanOrEqual(21);
  });

  it('for an hour is a budget and does not slow the account down', async () => {
    const gate = aGate(await aTestRedis());
    const hour: Says = (_state, _isRefused, nowMs) => ({
      succeeded: true,
      learned: { limit: 4_000, remaining: 3_000, resetAtMs: nowMs + 3_000_000 },
      stated: { limit: 4_000, withinMs: 3_600_000, isAtLeast: true },
    });
    const seconds = await drain(gate, 100, hour, 3);
    expect(sum(seconds, 'served') / 3).toBeGreaterThan(15);
  });

  it('beside another for a shorter window: both are kept', async () => {
    const gate = aGate(await aTestRedis());
    const both: Says = () => ({
      succeeded: true,
      stated: { limit: 1_000, withinMs: 10_000, isAtLeast: false, ceiling: { limit: 15, withinMs: 1_000 } },
    });
    const seconds = await drain(gate, 1_000, both, 4);
    expect(sum(seconds.slice(1), 'served') / 3).toBeGreaterThan(12);
    expect(sum(seconds.slice(1), 'served') / 3).toBeLessThanOrEqual(16);
  });
});

// Minutes of the gate's clock take seconds of ours, each call a few trips.
describe('a limit nobody states', { timeout: 60_000 }, () => {
  it.each([3, 6])('of %i a second is found by few refusals, and then kept', async (limit) => {
    const gate = aGate(await aTestRedis());
    const seconds = await drain(gate, limit, NOTHING, 80);
    expect(sum(seconds, 'refused')).toBeLessThanOrEqual(8);
    const steady = seconds.slice(60);
    expect(sum(steady, 'refused')).toBe(0);
    expect(sum(steady, 'served') / 20).toBeGreaterThan(limit * 0.6);
  });

  it('is never thought higher than the default', async () => {
    const gate = aGate(await aTestRedis());
    const seconds = await drain(gate, 1_000, NOTHING, 4);
    expect(sum(seconds, 'served') / 4).toBeLessThanOrEqual(21);
  });

  it('that was met once is tried again after a while', async () => {
    const gate = aGate(await aTestRedis());
    const entered = await gate.enter(DEFAULT);
    await gate.leave(entered.lease, { block: { ms: 10 }, goSlower: true });
    await gate.advance(1_300_000);
    const seconds = await drain(gate, 1_000, NOTHING, 30);
    expect(sum(seconds.slice(27), 'served') / 3).toBeGreaterThan(15);
  });
});
