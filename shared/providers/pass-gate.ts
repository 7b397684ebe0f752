import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { ScriptPart, ScriptReply } from '../redis/scripts.ts';
import {
  type Entered,
  type Farewell,
  type Gate,
  type Leaving,
  type Left,
  readEntered,
  readLeft,
  type Slot,
} from './gate.ts';
import type { GiveWay } from './give-way.ts';
import { farewell, type HeldCall, leaseMsOf, leave, say } from './leave-gate.ts';
import type { Pace } from './pace.ts';
import type { Places } from './places.ts';
import type { CallResult } from './port.ts';

/**
 * A slot is let go by a call that got its place so late that it would bunch up with the next one: by more than half of what lies
 * between two calls. Less than the first is what a busy machine takes anyway; the second stays within what a lease has to spare.
 * At a call a minute a few milliseconds must not cost a minute.
 */
const LATE_MS = { least: 5, most: 10_000 };
const lateMsOf = (intervalMs: number) => Math.min(LATE_MS.most, Math.max(LATE_MS.least, intervalMs / 2));
/** More than the gate's lead: a clock that was set must not hold calls back. */
const LEAD_MS_MAX = 50;
/** Leaving later than this is told to the gate. */
const TOLD_LATE_MS = 2;
/** How soon to ask again for a concurrency lease, and for how long: unlike a slot, nobody knows when one comes. */
const LEASE_RETRY_MS = 25;
const LEASE_WAIT_MS = 2_000;
/** A call that is sent away for its pace comes back so long before its turn, and waits for it in place. */
const BACK_BEFORE_MS_MAX = 1_000;

export type PassDeps = { gate: Gate; places: Places; clock: Clock; giveWay?: GiveWay };

/**
 * Asks the gate and writes the intent in one step, given how the gate is asked.
 * `begun` and `not_yet` carry what the gate said, `refused` why nothing may be sent.
 */
export type Begin = (
  gate: ScriptPart,
) => Promise<
  | { kind: 'begun'; entered: ScriptReply }
  | { kind: 'not_yet'; reply: ScriptReply }
  | { kind: 'refused'; why: string }
>;

type Wish = {
  account: string;
  pace: Pace;
  host: string;
  /** How long the gate may be waited for in place. */
  patienceMs: number;
  timeoutMs: number;
  /** See {@link GateAsk.parentId}. */
  parentId?: string;
  /** See {@link GateAsk.isBulk}. */
  isBulk?: boolean;
  begin?: Begin;
};

type Later = Extract<Entered, { kind: 'later' }>;

export type Passed =
  /** Call now, say `left` when its bytes leave, then `leave`. */
  | {
      kind: 'go';
      left: () => void;
      leave: (leaving: Leaving) => Promise<Left>;
      /** As `leave`, for a gate that is told of it in a moment: by whoever writes what came of the call. */
      farewell: (leaving: Leaving, onLeft: (left: Left) => void) => Farewell;
    }
  | Later
  | { kind: 'refused'; why: string };

/**
 * A call's way to its turn: a place in this process, then the gate that all processes share. Waiting at the gate holds
 * no place, and nothing comes between the gate's word and the call.
 */
export async function passGate(deps: PassDeps, wish: Wish): Promise<Passed> {
  const { gate, places, clock } = deps;
  let lease = gate.newLease();
  let isReserved = false;
  let lateMs = LATE_MS.least;
  let patienceMs = wish.patienceMs;
  let leasePatienceMs = Math.min(patienceMs, LEASE_WAIT_MS);
  for (;;) {
    const askedMs = clock.nowMs();
    const release = await places.take(wish.host);
    if (isReserved && clock.nowMs() - askedMs > lateMs) {
      leave(deps, { ...wish, lease }, { unsent: true });
      lease = gate.newLease();
    }
    const asked = await ask(gate, wish, lease, patienceMs).catch((err: unknown) => {
      release();
      throw err;
    });
    if (asked.kind === 'go' && asked.slot) {
      const held = { ...wish, lease };
      const { slot } = asked;
      await untilItsMoment(gate, slot);
      return {
        kind: 'go',
        left: () => tellIfLate(gate, wish.account, slot),
        leave: (leaving) => {
          release();
          return leave(deps, held, leaving);
        },
        farewell: (leaving, onLeft) => {
          release();
          return toldOnce(deps, held, farewell(deps, held, leaving), onLeft);
        },
      };
    }
    release();
    if (asked.kind === 'refused') return asked;
    isReserved = asked.kind === 'go';
    if (asked.kind === 'go') lateMs = lateMsOf(asked.intervalMs ?? 0);
    if (asked.kind === 'later' && asked.reason === 'pace')
      // Those that wait in place until then keep the calls coming.
      return { ...asked, ms: Math.max(1, asked.ms - Math.min(wish.patienceMs / 2, BACK_BEFORE_MS_MAX)) };
    const waitMs = waitInPlaceMs(asked);
    if (asked.kind === 'later' && asked.reason === 'concurrency') {
      if (leasePatienceMs < waitMs) return asked;
      leasePatienceMs -= waitMs;
    }
    if (asked.kind === 'later' && patienceMs < waitMs) return asked;
    patienceMs = Math.max(0, patienceMs - waitMs);
    if (await waitInPlace(deps, wish, waitMs, isReserved)) {
      if (isReserved) leave(deps, { ...wish, lease }, { unsent: true });
      return { kind: 'later', ms: waitMs, reason: 'reserve' };
    }
  }
}

/** Whoever tells the gate, with a write or apart: what an answer said of limits is said of its moment, and counts once. */
function toldOnce(deps: PassDeps, held: HeldCall, part: ScriptPart, onLeft: (left: Left) => void): Farewell {
  let isTold = false;
  return {
    part,
    said(reply) {
      isTold = true;
      // Not in the way of who says it: the write it came with is done.
      void Promise.resolve(readLeft(reply)).then(onLeft);
    },
    say() {
      if (isTold) return;
      isTold = true;
      void say(deps, held, part).then(onLeft);
    },
  };
}

/** @returns whether the call is to make way: bulk work that waits holds a message under way that a single create needs. */
async function waitInPlace(
  { giveWay }: PassDeps,
  { account, isBulk }: Wish,
  waitMs: number,
  isReserved: boolean,
): Promise<boolean> {
  if (isBulk && giveWay) return giveWay.wait(account, waitMs, isReserved);
  await sleep(waitMs);
  return false;
}

/** How long to wait before asking again; for ever where that cannot help. */
function waitInPlaceMs(asked: Entered): number {
  if (asked.kind === 'go') return asked.waitMs;
  // A window that is used up is over in a moment, or not at all in place.
  if (asked.reason === 'reserve' || asked.reason === 'budget') return asked.ms;
  return asked.reason === 'concurrency' ? LEASE_RETRY_MS : Number.POSITIVE_INFINITY;
}

/** The gate lets a call pass a little before its moment, so that writing its intent does not make it late. */
async function untilItsMoment({ clock }: Gate, { leaveAtMs }: Slot): Promise<void> {
  const waitMs = Math.round(leaveAtMs - clock.nowMs());
  if (waitMs > 0) await sleep(Math.min(waitMs, LEAD_MS_MAX));
}

/** Not waited for: a place that says nothing is only taken for one that left in time. */
function tellIfLate(gate: Gate, account: string, { leaveAtMs, place }: Slot): void {
  const atMs = gate.clock.nowMs();
  if (place !== '' && atMs - leaveAtMs > TOLD_LATE_MS) gate.leftLate(account, place, atMs).catch(() => {});
}

async function ask(
  gate: Gate,
  { account, pace, timeoutMs, parentId, isBulk, begin }: Wish,
  lease: string,
  waitMsMax: number,
): Promise<Entered | { kind: 'refused'; why: string }> {
  const asking = { lease, leaseMs: leaseMsOf({ timeoutMs }), pace, waitMsMax, parentId, isBulk };
  const askedMs = gate.clock.ownMs();
  const entered = begin
    ? await beginWith(begin, gate.question(account, asking))
    : await gate.enter(account, asking);
  if (entered.kind === 'go' && entered.slot) gate.clock.learn(askedMs, entered.slot.nowMs);
  return entered;
}

async function beginWith(
  begin: Begin,
  question: ScriptPart,
): Promise<Entered | { kind: 'refused'; why: string }> {
  const begun = await begin(question);
  if (begun.kind === 'refused') return begun;
  return readEntered(begun.kind === 'begun' ? begun.entered : begun.reply);
}

export function deferredBy(clock: Clock, { ms, reason }: Later): CallResult {
  return {
    kind: 'deferred',
    untilMs: clock.nowMs() + ms,
    reason: reason === 'down' ? 'retry_backoff' : 'rate_limited',
    ...(reason === 'parent' || reason === 'reserve' ? { onlyThis: true } : {}),
  };
}
