import { type ChaosAccount, unifiedBody } from './accounts.ts';
import { createRandom, type Random } from './random.ts';

export type PlannedCreate = {
  number: number;
  atMs: number;
  account: ChaosAccount;
  /** Records and creates with the same tag are alike to the provider: one create, or two that were meant to be equal. */
  tag: string;
  key: string;
  body: Record<string, unknown>;
};
export type Victim = 'api' | 'worker' | 'redis';
export type PlannedKill = { atMs: number; victim: Victim; downMs: number };
export type Plan = { seed: number; creates: PlannedCreate[]; kills: PlannedKill[]; lengthMs: number };

/** Creates that arrive in the moment of a kill, so that it hits accepts under way and a Redis under load. */
const BURST = 16;
/** Part of the creates that have an equal twin. */
const TWINS = 0.08;

/** What happens when, the same for the same seed: creates over the whole time of the kills, a burst around each kill. */
export function makePlan(options: {
  seed: number;
  creates: number;
  kills: number;
  lengthMs: number;
  accounts: ChaosAccount[];
}): Plan {
  const random = createRandom(options.seed);
  const kills = planKills(random, options.kills, options.lengthMs);
  const bursts = kills.filter(({ victim }) => victim !== 'worker');
  const creates: PlannedCreate[] = [];
  const add = (atMs: number, account: ChaosAccount, tag: string, parent: number) => {
    const number = creates.length;
    creates.push({
      number,
      atMs,
      account,
      tag,
      key: `chaos-${options.seed}-${number}`,
      body: unifiedBody(account, `Chaos ${tag}`, parent),
    });
  };
  while (creates.length < options.creates) {
    const number = creates.length;
    const account = options.accounts[number % options.accounts.length];
    if (!account) throw new Error('no accounts');
    const burst = bursts[Math.floor(number / BURST)];
    const atMs = burst ? burst.atMs - random.between(0, 15) : random.between(0, options.lengthMs);
    const tag = `s${options.seed}n${number}x`;
    const parent = random.between(0, 999);
    add(atMs, account, tag, parent);
    if (random.next() < TWINS) add(atMs + random.between(0, 2_000), account, tag, parent);
  }
  creates.sort((a, b) => a.atMs - b.atMs);
  return { seed: options.seed, creates, kills, lengthMs: options.lengthMs };
}

/** Spread over the time, every kind several times, in drawn order. */
function planKills(random: Random, count: number, lengthMs: number): PlannedKill[] {
  const kinds: Victim[] = ['worker', 'api', 'worker', 'redis'];
  const victims = Array.from({ length: count }, (_, i) => kinds[i % kinds.length] ?? 'worker');
  for (let i = victims.length - 1; i > 0; i--) {
    const j = random.between(0, i);
    const [a, b] = [victims[i], victims[j]];
    if (a && b) [victims[i], victims[j]] = [b, a];
  }
  const gapMs = lengthMs / (count + 1);
  return victims.map((victim, i) => ({
    victim,
    atMs: Math.round((i + 1) * gapMs + (random.next() - 0.5) * gapMs * 0.8),
    downMs: random.between(200, 1_800),
  }));
}
