import { readFileSync } from 'node:fs';
import type { RedisClient } from './connect.ts';

/**
 * One entry per file in `scripts/`; its header documents keys, arguments and every return value. What a file `uses`
 * are other scripts, as functions of (KEYS, ARGV): Redis lets no script call another.
 */
const SCRIPTS: Record<ScriptName, { file: string; keys: number; uses?: Record<string, string> }> = {
  dwAccept: { file: 'accept.lua', keys: 9 },
  dwTransition: { file: 'transition.lua', keys: 14 },
  dwRequeue: { file: 'requeue.lua', keys: 2 },
  dwDeactivate: { file: 'deactivate.lua', keys: 8 },
  dwDeliveryCreate: { file: 'delivery-create.lua', keys: 4 },
  dwDeliveryFinish: { file: 'delivery-finish.lua', keys: 3 },
  dwDeliveryReopen: { file: 'delivery-reopen.lua', keys: 4 },
  dwGateEnter: { file: 'gate-enter.lua', keys: 3 },
  dwGateLeave: { file: 'gate-leave.lua', keys: 3 },
  dwEnterAndStart: {
    file: 'enter-and-start.lua',
    keys: 9,
    uses: { enter: 'gate-enter.lua', start: 'start.lua' },
  },
};

type ScriptName =
  | 'dwAccept'
  | 'dwTransition'
  | 'dwRequeue'
  | 'dwDeactivate'
  | 'dwDeliveryCreate'
  | 'dwDeliveryFinish'
  | 'dwDeliveryReopen'
  | 'dwGateEnter'
  | 'dwGateLeave'
  | 'dwEnterAndStart';

export type ScriptReply = (number | string)[];
/** The keys and arguments of one script, to be run together with another in one step. */
export type ScriptPart = { keys: readonly string[]; args: readonly (string | number)[] };
type Run = (...args: (string | number)[]) => Promise<ScriptReply>;
export type Scripts = Record<ScriptName, Run>;

/** Registers our scripts on a connection and returns them as functions: keys first, then arguments. */
export function defineScripts(redis: RedisClient): Scripts {
  const scripts: Partial<Scripts> = {};
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    redis.defineCommand(name, { numberOfKeys: keys, lua: luaOf(file) });
    // defineCommand adds a method of this very name; ioredis cannot tell the type checker.
    const command = (redis as unknown as Record<string, Run>)[name];
    scripts[name as keyof Scripts] = (...args) => (command as Run).apply(redis, args);
  }
  // Every name of SCRIPTS was set in the loop.
  return scripts as Scripts;
}

/** The text of a script as Redis gets it: with those it uses before it. */
export function luaOf(file: string): string {
  const uses = Object.values(SCRIPTS).find((script) => script.file === file)?.uses ?? {};
  const used = Object.entries(uses).map(
    ([as, other]) => `local function ${as}(KEYS, ARGV)\n${textOf(other)}\nend\n`,
  );
  return used.join('') + textOf(file);
}

const textOf = (file: string) => readFileSync(new URL(`scripts/${file}`, import.meta.url), 'utf8');
