import { expect, it } from 'vitest';
import { limitHeaders } from '../../api/tell-limits.ts';
import type { Pace } from '../../shared/providers/pace.ts';
import type { GateReading } from '../../shared/stores/gate-reading.ts';
import { backlogRetrySeconds } from '../../shared/use-cases/backlog-retry.ts';

const NOW = 1_000_000;
const PACE: Pace = { requests: 20, perMs: 1_000, burst: 1, concurrency: 8, dailyShare: 1, learns: true };

it.each<[Partial<GateReading>, Record<string, string>]>([
  [{}, {}],
  [{ remaining: 3, resetAtMs: NOW + 1_000 }, {}],
  [{ limit: 110, windowMs: 10_000 }, { 'ratelimit-limit': '110;w=10' }],
  [
    { limit: 240, remaining: 239, resetAtMs: NOW + 1_200 },
    { 'ratelimit-limit': '240', 'ratelimit-remaining': '239', 'ratelimit-reset': '2' },
  ],
  [
    { limit: 5_000, windowMs: 86_400_000, remaining: 0 },
    { 'ratelimit-limit': '5000;w=86400', 'ratelimit-remaining': '0' },
  ],
])('what is known as %j is told as %j', (known, headers) => {
  expect(Object.fromEntries(limitHeaders({ isDown: false, factor: 1, ...known }, NOW))).toEqual(headers);
});

it.each<[string, number, boolean, Partial<Pace>, object, number]>([
  ['a hundredth of its jobs at the default pace', 200_000, false, {}, {}, 100],
  ['at the pace it learned', 200_000, false, {}, { perSecond: 100 }, 20],
  ['slowed down by refusals', 200_000, false, {}, { factor: 0.5 }, 200],
  ['at its own pace, whatever is stated', 200_000, false, { learns: false }, { perSecond: 100 }, 100],
  ['and what it is blocked for', 200_000, false, {}, { blockedUntilMs: NOW + 60_000 }, 160],
  ['at least a second', 2, false, { requests: 1_000 }, {}, 1],
  ['at most an hour', 200_000, false, { requests: 1, perMs: 3_600_000 }, {}, 3_600],
  ['an hour when it is held', 2, true, {}, {}, 3_600],
])('a full backlog is worth asking again after %s', (_, open, isHeld, pace, known, seconds) => {
  const reading = { factor: 1, ...known };
  expect(backlogRetrySeconds(open, isHeld, { ...PACE, ...pace }, reading, NOW)).toBe(seconds);
});
