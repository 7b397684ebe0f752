import type { Response } from 'express';
import type { Clock } from '../shared/clock.ts';
import type { GateReading, ReadGate } from '../shared/stores/gate-reading.ts';
import { createShortCache } from '../shared/stores/short-cache.ts';

/** How old the numbers may be that an answer shows. */
const MAX_AGE_MS = 500;

/** Puts what the provider said of an account's limit on an answer. Never fails: they are only told. */
export type TellLimits = (account: string, res: Response) => Promise<void>;

/**
 * Read once per half second and account, however many answers show it. Begun before a create is accepted, the reading
 * leaves in the same pipeline and costs the create no trip of its own.
 */
export function createLimitTeller({ readGate, clock }: { readGate: ReadGate; clock: Clock }): TellLimits {
  const readings = createShortCache((account) => readGate(account, clock.nowMs()), MAX_AGE_MS);
  return async (account, res) => {
    const reading = await readings.get(account).catch(() => undefined);
    if (!reading || res.headersSent) return;
    for (const [name, value] of limitHeaders(reading, clock.nowMs())) res.setHeader(name, value);
  };
}

/**
 * Truto's form: the limit with its window in seconds (`110;w=10`), what remains, and the seconds until it begins anew.
 * Nothing that the provider has not said. Pure.
 */
export function limitHeaders(reading: GateReading, nowMs: number): [name: string, value: string][] {
  const { limit, windowMs, remaining, resetAtMs } = reading;
  if (limit === undefined) return [];
  const window = windowMs === undefined ? '' : `;w=${Math.max(1, Math.round(windowMs / 1_000))}`;
  const headers: [string, string][] = [['ratelimit-limit', `${limit}${window}`]];
  if (remaining !== undefined) headers.push(['ratelimit-remaining', String(remaining)]);
  if (resetAtMs !== undefined)
    headers.push(['ratelimit-reset', String(Math.max(0, Math.ceil((resetAtMs - nowMs) / 1_000)))]);
  return headers;
}
