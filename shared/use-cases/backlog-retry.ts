import type { Pace } from '../providers/pace.ts';
import type { GateReading } from '../stores/gate-reading.ts';

/** So much of a full backlog should have left before it is worth asking again: many ask at once. */
const ROOM_SHARE = 0.01;
const SECONDS_MAX = 3_600;

/**
 * When a full backlog has room again: what the account is blocked for, and a hundredth of its open jobs at its pace. Pure.
 * @returns whole seconds, 1 to 3,600; the longest for an account that does not write at all.
 */
export function backlogRetrySeconds(
  open: number,
  isHeld: boolean,
  pace: Pace,
  reading: Pick<GateReading, 'perSecond' | 'factor' | 'blockedUntilMs'>,
  nowMs: number,
): number {
  if (isHeld) return SECONDS_MAX;
  const byDefault = (pace.requests * 1_000) / pace.perMs;
  const perSecond = pace.learns ? (reading.perSecond ?? byDefault) * reading.factor : byDefault;
  const blockedS = Math.max(0, (reading.blockedUntilMs ?? 0) - nowMs) / 1_000;
  const seconds = Math.ceil(blockedS + Math.max(1, open * ROOM_SHARE) / perSecond);
  return Math.min(SECONDS_MAX, Math.max(1, seconds));
}
