import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisClient } from './connect.ts';

/**
 * One entry per file in `scripts/`; its header documents keys, arguments and every return value. What a file `uses`
 * are other scripts, as functions of (KEYS, ARGV): Redis lets no script call another.
 */
const SCRIPTS: Record<ScriptName, { file: string; keys: number; uses?: Record<string, string> }> = {
  dwAccept: { file: 'accept.lua', keys: 10 },
  dwTransition: { file: 'transition.lua', keys: 11 },
  dwRequeue: { file: 'requeue.lua', keys: 2 },
  dwDeactivate: { file: 'deactivate.lua', keys: 8 },
  dwDeliveryCreate: { file: 'delivery-create.lua', keys: 4 },
  dwDeliveryFinish: { file: 'delivery-finish.lua', keys: 3 },
  dwDeliveryReopen: { file: 'delivery-reopen.lua', keys: 4 },
  dwImportBegin: { file: 'import-begin.lua', keys: 4 },
  dwImportGiveUp: { file: 'import-give-up.lua', keys: 2 },
  dwImportFreeKey: { file: 'import-free-key.lua', keys: 1 },
  dwImportArrives: { file: 'import-arrives.lua', keys: 2 },
  dwImportChunk: { file: 'import-chunk.lua', keys: 4 },
  dwImportCommit: { file: 'import-commit.lua', keys: 5 },
  dwImportMove: { file: 'import-move.lua', keys: 7, uses: { write_event: 'write-event.lua' } },
  dwImportMaterialise: {
    file: 'import-materialise.lua',
    keys: 10,
    uses: { leave_batch: 'leave-batch.lua', take_dedupe_key: 'take-dedupe-key.lua' },
  },
  dwImportSettle: { file: 'import-settle.lua', keys: 12, uses: { leave_batch: 'leave-batch.lua' } },
  dwImportSettleRows: { file: 'import-settle-rows.lua', keys: 4, uses: { leave_batch: 'leave-batch.lua' } },
  dwImportGiveBack: { file: 'import-give-back.lua', keys: 9 },
  dwEnterAndBatch: {
    file: 'enter-and-batch.lua',
    keys: 6,
    uses: { unsent: 'gate-unsent.lua', enter: 'gate-enter.lua', batch: 'import-batch.lua' },
  },
  dwImportBatch: { file: 'import-batch.lua', keys: 3 },
  dwImportBulk: { file: 'import-bulk.lua', keys: 2 },
  dwImportClaim: {
    file: 'import-claim.lua',
    keys: 1,
    uses: { take_dedupe_key: 'take-dedupe-key.lua' },
  },
  dwImportReopen: { file: 'import-reopen.lua', keys: 2 },
  dwGateEnter: { file: 'gate-enter.lua', keys: 3 },
  dwGateLate: { file: 'gate-late.lua', keys: 1 },
  dwGateLeave: { file: 'gate-leave.lua', keys: 3, uses: { unsent: 'gate-unsent.lua' } },
  dwLeaveAndMove: {
    file: 'leave-and-move.lua',
    keys: 14,
    uses: { unsent: 'gate-unsent.lua', leave: 'gate-leave.lua', move: 'transition.lua' },
  },
  dwEnterAndStart: {
    file: 'enter-and-start.lua',
    keys: 7,
    uses: { unsent: 'gate-unsent.lua', enter: 'gate-enter.lua', start: 'start.lua' },
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
  | 'dwImportBegin'
  | 'dwImportGiveUp'
  | 'dwImportFreeKey'
  | 'dwImportArrives'
  | 'dwImportChunk'
  | 'dwImportCommit'
  | 'dwImportMove'
  | 'dwImportMaterialise'
  | 'dwImportSettle'
  | 'dwImportGiveBack'
  | 'dwImportReopen'
  | 'dwImportBatch'
  | 'dwImportBulk'
  | 'dwImportSettleRows'
  | 'dwImportClaim'
  | 'dwEnterAndBatch'
  | 'dwGateEnter'
  | 'dwGateLate'
  | 'dwGateLeave'
  | 'dwLeaveAndMove'
  | 'dwEnterAndStart';

export type ScriptReply = (number | string)[];
/** The keys and arguments of one script, to be run together with another in one step. */
export type ScriptPart = { keys: readonly string[]; args: readonly (string | number)[] };
type Run = (...args: (string | number | Buffer)[]) => Promise<ScriptReply>;
export type Scripts = Record<ScriptName, Run>;

/**
 * Our scripts as functions on a connection: keys first, then arguments. (`defineCommand` of ioredis does the same, with three
 * promises more for every call.)
 */
export function defineScripts(redis: RedisClient): Scripts {
  const scripts: Partial<Scripts> = {};
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    const lua = luaOf(file);
    const sha = hash('sha1', lua);
    scripts[name as keyof Scripts] = (...args) =>
      // Redis forgets its scripts when it restarts: told once again, it knows them.
      redis.evalsha(sha, keys, ...args).catch((err: unknown) => {
        if (!(err instanceof Error && err.message.startsWith('NOSCRIPT'))) throw err;
        return redis.eval(lua, keys, ...args);
      }) as Promise<ScriptReply>;
  }
  // Every name of SCRIPTS was set in the loop.
  return scripts as Scripts;
}

/** The text of a script as Redis gets it: with those it uses before it. */
export function luaOf(file: string): string {
  const uses = Object.values(SCRIPTS).find((script) => script.file === file)?.uses ?? {};
  const used = Object.entries(uses).map(([as, other]) => functionOf(as, other));
  return used.join('') + textOf(file);
}

/** As {@link luaOf} puts it before a script, for one that stands in a store. */
export const WRITE_EVENT_LUA = functionOf('write_event', 'write-event.lua');

function functionOf(name: string, file: string): string {
  return `local function ${name}(KEYS, ARGV)\n${textOf(file)}\nend\n`;
}

function textOf(file: string): string {
  return readFileSync(new URL(`scripts/${file}`, import.meta.url), 'utf8');
}
