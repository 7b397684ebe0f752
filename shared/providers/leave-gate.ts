import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { ScriptPart } from '../redis/scripts.ts';
import type { Gate, Leaving, Left } from './gate.ts';
import type { Pace } from './pace.ts';

type Deps = { gate: Gate; clock: Clock };

/** A call that has passed the gate. */
export type HeldCall = {
  account: string;
  lease: string;
  pace: Pick<Pace, 'concurrency'>;
  timeoutMs: number;
  /** See {@link GateAsk.parentId}. */
  parentId?: string;
};

/** A lease outlives the call's own time-out, so that it is never given away under a call in flight. */
export const leaseMsOf = ({ timeoutMs }: { timeoutMs: number }) => timeoutMs + 15_000;
const GIVE_BACK_RETRY_MS = 1_000;

export function leave(deps: Deps, call: HeldCall, leaving: Leaving): Promise<Left> {
  return say(deps, call, farewell(deps, call, leaving), leaving.unsent);
}

export function farewell({ gate, clock }: Deps, call: HeldCall, leaving: Leaving): ScriptPart {
  const { account, lease, parentId, pace } = call;
  const left = { ...leaving, parentId, concurrency: pace.concurrency };
  return gate.farewell(account, lease, left, clock.nowMs());
}

/**
 * Not waited for. Where it is refused, what was learned is only advice; but a Redis that refuses writes for a moment (NOREPLICAS,
 * READONLY) must not cost an account its calls at once until their leases expire: these are given back as soon as may be.
 */
export function say(deps: Deps, call: HeldCall, part: ScriptPart, unsent?: true): Promise<Left> {
  return deps.gate.say(part).catch(() => {
    void giveBack(deps, call, unsent);
    return { blockedMs: 0 };
  });
}

async function giveBack(deps: Deps, call: HeldCall, unsent?: true): Promise<void> {
  const { gate, clock } = deps;
  const expiresAtMs = clock.nowMs() + leaseMsOf(call);
  const part = farewell(deps, call, { unsent });
  let isBack = false;
  while (!isBack && clock.nowMs() < expiresAtMs) {
    // A process that ends does not wait for it.
    await sleep(GIVE_BACK_RETRY_MS, undefined, { ref: false });
    isBack = await gate.say(part).then(
      () => true,
      () => false,
    );
  }
}
