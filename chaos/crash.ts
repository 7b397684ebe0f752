import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedKill } from './plan.ts';
import type { System } from './system.ts';

/** Kills at their times from now on. Resolves when everything works again, with how often each was killed. */
export async function crashAll(
  kills: readonly PlannedKill[],
  system: System,
  log: (line: string) => void,
): Promise<Record<string, number>> {
  const startMs = Date.now();
  const counts: Record<string, number> = {};
  const crashes = kills.map(async (kill, i) => {
    await sleep(Math.max(0, kill.atMs - (Date.now() - startMs)));
    counts[kill.victim] = (counts[kill.victim] ?? 0) + 1;
    log(`${Date.now() - startMs} ms: SIGKILL ${kill.victim}, back after ${kill.downMs} ms`);
    await system.crash(kill.victim, i, kill.downMs);
    log(`${Date.now() - startMs} ms: ${kill.victim} works again`);
  });
  await Promise.all(crashes);
  return counts;
}
