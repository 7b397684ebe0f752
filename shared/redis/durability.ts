import { StartError } from '../start-error.ts';
import type { RedisClient } from './connect.ts';

export type DurabilityDemand = 'strict' | 'asserted' | 'relaxed';

/** What a server says of itself. `hidden`: a managed Redis that does not show its configuration. */
export type DurabilityFinding =
  | { found: 'strict' }
  | { found: 'weaker'; message: string }
  | { found: 'hidden'; message: string };

/** Setting → what it must be, so that what was acknowledged is on disk and stays. */
const NEEDED = { appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' } as const;

/**
 * Asks the server (every master of a cluster) whether it keeps what it acknowledges.
 * @throws the connection's error when it does not answer.
 */
export async function readDurability(redis: RedisClient): Promise<DurabilityFinding> {
  const masters = mastersOf(redis);
  const problems: string[] = [];
  for (const master of masters) {
    let settings: Map<string, string>;
    try {
      settings = toSettings(await master.call('CONFIG', 'GET', 'append*', 'maxmemory-policy'));
    } catch (err) {
      if (!isRefusal(err)) throw err;
      return {
        found: 'hidden',
        message: 'the server does not show its configuration (CONFIG GET is refused)',
      };
    }
    if (settings.size === 0)
      return { found: 'hidden', message: 'the server answers CONFIG GET with nothing' };
    for (const [name, needed] of Object.entries(NEEDED)) {
      const is = settings.get(name);
      if (is !== needed) problems.push(`${name} is ${is ?? 'unknown'} but must be ${needed}`);
    }
  }
  return problems.length === 0
    ? { found: 'strict' }
    : { found: 'weaker', message: [...new Set(problems)].join(', ') };
}

/** Replicas that are connected to the server now, to the master that has the fewest. */
export async function countReplicas(redis: RedisClient): Promise<number> {
  const masters = mastersOf(redis);
  const counts = await Promise.all(
    masters.map(async (master) => {
      const info = await master.info('replication');
      return [...info.matchAll(/^slave\d+:.*\bstate=online\b/gm)].length;
    }),
  );
  return Math.min(...counts);
}

/** @throws Error while a cluster does not know its masters: of none of them anything could be said. */
function mastersOf(redis: RedisClient) {
  const masters = 'nodes' in redis ? redis.nodes('master') : [redis];
  if (masters.length === 0) throw new Error('The cluster names no master now.');
  return masters;
}

/** A flat list of name, value, … (RESP2) or an object (RESP3). */
function toSettings(reply: unknown): Map<string, string> {
  const flat: unknown[] = Array.isArray(reply) ? reply : Object.entries(reply ?? {}).flat();
  const settings = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) settings.set(String(flat[i]), String(flat[i + 1]));
  return settings;
}

function isRefusal(err: unknown): boolean {
  return (
    err instanceof Error &&
    /unknown command|NOPERM|not allowed|disabled|ERR/i.test(err.message) &&
    err.name === 'ReplyError'
  );
}

/** Whether what was found is enough for what is demanded. */
export function isDurableEnough(demand: DurabilityDemand, finding: DurabilityFinding): boolean {
  return demand !== 'strict' || finding.found === 'strict';
}

/**
 * @throws StartError in one sentence that says what to set.
 */
export async function demandDurability(
  redis: RedisClient,
  demand: DurabilityDemand,
): Promise<DurabilityFinding> {
  const finding = await readDurability(redis);
  if (isDurableEnough(demand, finding)) return finding;
  const message = finding.found === 'strict' ? '' : finding.message;
  throw new StartError(
    `DURABILITY=strict, but ${message}: configure Redis with "appendonly yes", "appendfsync always" and "maxmemory-policy noeviction", or set DURABILITY=asserted if you vouch for it, or DURABILITY=relaxed to start anyway.`,
  );
}
