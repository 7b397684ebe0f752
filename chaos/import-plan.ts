import { type ChaosAccount, settingsOf, unifiedBody } from './accounts.ts';
import type { PlannedKill, Victim } from './plan.ts';
import { createRandom, type Random } from './random.ts';

export type PlannedRow = {
  /** In the name of its record. */
  tag: string;
  /** Rows with the same one, in whatever import, are one record. */
  dedupeKey: string;
  /** It cannot be written: no record may come of it. */
  isBad: boolean;
};

export type PlannedImport = {
  /** Its `Idempotency-Key`. */
  key: string;
  account: ChaosAccount;
  format: 'ndjson' | 'csv';
  strategy: 'auto' | 'bulk';
  rows: PlannedRow[];
  text: string;
  startMs: number;
  uploadMs: number;
};

export type ImportPlan = {
  seed: number;
  accounts: ChaosAccount[];
  imports: PlannedImport[];
  kills: PlannedKill[];
  lengthMs: number;
};

/** Uploads crawl, so that they are under way when an API dies. */
const UPLOADS_MS = 14_000;
const BAD_EVERY = 50;
/** Calls a second and account: the work lasts as long as the kills. */
const BATCH_PACE = 5;
const ROW_PACE = 20;

type Shape = Pick<PlannedImport, 'account' | 'format'> & {
  count: number;
  /** Begins the dedupe keys that rows of imports with the same word share. */
  shared: string;
  strategy?: 'bulk';
};

/** Settings of an account for imports: another pace, the rest as in the chaos of single creates. */
export const importSettingsOf = (account: ChaosAccount) => ({
  ...settingsOf(account),
  rate_limit: {
    requests: account.marker?.kind === 'external_id' ? BATCH_PACE : ROW_PACE,
    per_seconds: 1,
    concurrency: 8,
  },
});

/**
 * Imports of one run, the same for the same seed: two into a Salesforce account in batches, whose rows share half of their dedupe
 * keys, as NDJSON and as CSV; one of half the size by bulk jobs of Salesforce; one each row by row into Close and Capsule.
 */
export function planImports(options: {
  seed: number;
  rows: number;
  kills: number;
  lengthMs: number;
  accounts: ChaosAccount[];
}): ImportPlan {
  const { seed, rows, lengthMs } = options;
  const random = createRandom(seed);
  const named = (name: string) => {
    const account = options.accounts.find((one) => one.name === name);
    if (!account) throw new Error(`no account ${name}`);
    return account;
  };
  const salesforce = named('salesforce external');
  const single = Math.ceil(rows / 16);
  const shapes: Shape[] = [
    { account: salesforce, format: 'ndjson', count: rows, shared: 'deals' },
    { account: salesforce, format: 'csv', count: rows, shared: 'deals' },
    { account: salesforce, format: 'ndjson', count: Math.ceil(rows / 2), shared: 'bulk', strategy: 'bulk' },
    { account: named('close field'), format: 'ndjson', count: single, shared: 'close' },
    { account: named('capsule field'), format: 'ndjson', count: single, shared: 'capsule' },
  ];
  const imports = shapes.map(({ account, format, count, shared, strategy }, i): PlannedImport => {
    const planned = Array.from({ length: count }, (_, n): PlannedRow => {
      const tag = `s${seed}i${i}r${n + 1}x`;
      const isBad = (n + 1) % BAD_EVERY === 0;
      const isShared = n % 2 === 0 && !isBad;
      return { tag, isBad, dedupeKey: isShared ? `${shared} ${seed} ${n + 1}` : tag };
    });
    return {
      key: `chaos-import-${seed}-${i}`,
      ...{ account, format, strategy: strategy ?? 'auto', rows: planned },
      text: textOf(account, format, planned),
      startMs: random.between(0, UPLOADS_MS / 3),
      uploadMs: random.between(UPLOADS_MS / 3, (UPLOADS_MS * 2) / 3),
    };
  });
  const accounts = [...new Set(shapes.map(({ account }) => account))];
  return { seed, accounts, imports, kills: planKills(random, options.kills, lengthMs), lengthMs };
}

/** APIs and Redis while uploads arrive; workers, Redis and APIs while rows are written. */
function planKills(random: Random, count: number, lengthMs: number): PlannedKill[] {
  const early = Math.ceil(count / 3);
  const spread = (kinds: readonly Victim[], kills: number, fromMs: number, toMs: number) =>
    Array.from({ length: kills }, (_, i): PlannedKill => {
      const gapMs = (toMs - fromMs) / kills;
      return {
        victim: kinds[i % kinds.length] ?? 'worker',
        atMs: Math.round(fromMs + (i + random.next()) * gapMs),
        downMs: random.between(200, 1_500),
      };
    });
  return [
    ...spread(['api', 'api', 'redis'], early, 1_000, UPLOADS_MS),
    ...spread(['worker', 'redis', 'worker', 'api'], count - early, UPLOADS_MS, lengthMs),
  ];
}

function textOf(account: ChaosAccount, format: PlannedImport['format'], rows: readonly PlannedRow[]): string {
  if (format === 'csv') {
    const lines = rows.map(
      ({ tag, dedupeKey, isBad }) =>
        `Import ${tag},Prospecting,2027-03-31,${isBad ? '-1' : '1250.5'},${dedupeKey}`,
    );
    return ['name,stage.name,close_date,amount,dedupe_key', ...lines].join('\n');
  }
  return rows
    .map(({ tag, dedupeKey, isBad }, i) => {
      const body = unifiedBody(account, `Import ${tag}`, i);
      return JSON.stringify({ ...body, dedupe_key: dedupeKey, ...(isBad ? { amount: -1 } : {}) });
    })
    .join('\n');
}
