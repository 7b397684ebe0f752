import { readFileSync } from 'node:fs';
import type { RedisClient } from './connect.ts';

/** One entry per file in `scripts/`; its header documents keys, arguments and every return value. */
const SCRIPTS = {
  dwAccept: { file: 'accept.lua', keys: 9 },
  dwStart: { file: 'start.lua', keys: 5 },
  dwTransition: { file: 'transition.lua', keys: 14 },
  dwRequeue: { file: 'requeue.lua', keys: 2 },
  dwDeactivate: { file: 'deactivate.lua', keys: 8 },
  dwDeliveryCreate: { file: 'delivery-create.lua', keys: 4 },
  dwDeliveryFinish: { file: 'delivery-finish.lua', keys: 3 },
  dwDeliveryReopen: { file: 'delivery-reopen.lua', keys: 4 },
  dwGateEnter: { file: 'gate-enter.lua', keys: 2 },
  dwGateLeave: { file: 'gate-leave.lua', keys: 2 },
} as const;

export type ScriptReply = (number | string)[];
type Run = (...args: (string | number)[]) => Promise<ScriptReply>;
export type Scripts = Record<keyof typeof SCRIPTS, Run>;

/** Registers our scripts on a connection and returns them as functions: keys first, then arguments. */
export function defineScripts(redis: RedisClient): Scripts {
  const scripts: Partial<Scripts> = {};
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    redis.defineCommand(name, {
      numberOfKeys: keys,
      lua: readFileSync(new URL(`scripts/${file}`, import.meta.url), 'utf8'),
    });
    // defineCommand adds a method of this very name; ioredis cannot tell the type checker.
    const command = (redis as unknown as Record<string, Run>)[name];
    scripts[name as keyof Scripts] = (...args) => (command as Run).apply(redis, args);
  }
  // Every name of SCRIPTS was set in the loop.
  return scripts as Scripts;
}
