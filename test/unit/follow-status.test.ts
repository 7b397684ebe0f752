import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Account } from '../../shared/stores/account-store.ts';
import { followStatus, isHeld } from '../../shared/use-cases/follow-status.ts';

/** A store and a queue whose every answer takes its own time, as over a network. */
function aSlowSystem() {
  const state: { status: Account['status']; paused: boolean; active: boolean } = {
    status: 'active',
    paused: false,
    active: false,
  };
  const sometime = () => delay(Math.random() * 4);
  const slowly = (change: () => void) => async () => {
    await sometime();
    change();
    await sometime();
  };
  const account = () => ({ status: state.status }) as Account; // followStatus reads nothing else
  const deps = {
    store: {
      get: async () => {
        await sometime();
        const seen = account();
        await sometime();
        return seen;
      },
    },
    queues: {
      pause: slowly(() => {
        state.paused = true;
        state.active = false;
      }),
      resume: slowly(() => {
        state.paused = false;
      }),
      activate: slowly(() => {
        state.active = true;
      }),
    },
  };
  return { state, deps };
}

it('leaves the queue as the last status says, whoever is slow', async () => {
  const rounds = Array.from({ length: 300 }, async () => {
    const { state, deps } = aSlowSystem();
    const statuses = ['paused', 'active', 'needs_reauth', 'active'] as const;
    const followers = statuses
      .toSorted(() => Math.random() - 0.5)
      .map(async (status) => {
        await delay(Math.random() * 6);
        state.status = status;
        await followStatus(deps, 'a');
      });
    await Promise.all(followers);
    return { status: state.status, paused: state.paused };
  });
  for (const { status, paused } of await Promise.all(rounds)) expect(paused).toBe(isHeld(status));
});
