import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Bench, compareRounds, median, round } from './support/figures.ts';
import { type ImportFormat, type RowsOptions, writeRows } from './support/import-rows.ts';
import { readResultsFile, untilEnded, uploadImport } from './support/imports.ts';
import { residentMbOf, startBenchRedis, startMeasured } from './support/processes.ts';
import { readRedisFigures } from './support/redis-figures.ts';
import { connectSalesforce } from './support/salesforce.ts';
import { type BenchSystem, startSystem } from './support/system.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

const ROWS_PER_SECOND_MIN = 20_000;
const BYTES_MAX = 300;
const KEY_BYTES_MAX = 60;
const GROWTH_MB_MAX = 50;
/** As in a file that somebody exported: one row in a hundred cannot be written, which its result says. */
const BAD_EVERY = 100;
const WORK_WITHIN_MS = 3_600_000;

/**
 * What taking in an import costs. Rows a second from the first byte to the 202 (read, checked, mapped, on disk); bytes of Redis
 * a row, resting and with its result, without and with dedupe keys; memory of API and worker while 100,000 and 1,000,000
 * rows are taken in and worked. Control: an Express that makes every line a BullMQ job, unchecked.
 *
 * Target: 20,000 rows a second; 300 bytes a row with its result and 60 more with a key; memory grows by at most 50 MB.
 */
export const intake: Bench = async ({ quick }) => {
  const rows = quick ? 10_000 : 100_000;
  const manyRows = quick ? 50_000 : 1_000_000;
  await using directory = await temporaryDirectory();
  const fileOf = async (name: string, format: ImportFormat, options: RowsOptions): Promise<Source> => {
    const file = join(directory.path, `${name}.${format}`);
    await writeRows(file, format, { ...options, badEvery: BAD_EVERY });
    return { file, format, rows: options.count };
  };
  const ndjson = await fileOf('rows', 'ndjson', { label: 'Plain', count: rows });
  const csv = await fileOf('rows', 'csv', { label: 'Cells', count: rows });
  const rates = await measureRates({ ndjson, csv, rounds: quick ? 1 : 5 });
  const keyed = await fileOf('keyed', 'ndjson', { label: 'Keyed', count: rows, keys: true });
  const many = await fileOf('many', 'ndjson', { label: 'Many', count: manyRows });
  const { plain, withKeys, growth } = await measureMemory({ plain: ndjson, keyed, many });
  const keyBytes = round(withKeys.with_results - plain.with_results, 1);
  return {
    rows,
    ...rates,
    redis_bytes_per_row: { plain, with_dedupe_keys: withKeys, keys_add: keyBytes },
    memory_mb: growth,
    target: {
      rows_per_second_min: ROWS_PER_SECOND_MIN,
      redis_bytes_per_row_max: BYTES_MAX,
      bytes_per_key_max: KEY_BYTES_MAX,
      growth_mb_max: GROWTH_MB_MAX,
    },
    met: {
      ndjson: rates.ndjson_per_second >= ROWS_PER_SECOND_MIN,
      csv: rates.csv_per_second >= ROWS_PER_SECOND_MIN,
      bytes: plain.with_results <= BYTES_MAX,
      key_bytes: keyBytes <= KEY_BYTES_MAX,
      api_memory: growth.api_grows <= GROWTH_MB_MAX,
      worker_memory: growth.worker_grows <= GROWTH_MB_MAX,
    },
  };
};

type Source = { file: string; format: ImportFormat; rows: number };

/** The account is paused, so that nothing else than the intake is at work. */
async function measureRates({ ndjson, csv, rounds }: { ndjson: Source; csv: Source; rounds: number }) {
  await using system = await startSystem({ prefix: 'intake' });
  const account = await connectHere(system, 'rates');
  await system.client.call('POST', `/integrated-accounts/${account}/pause`);
  await using floorRedis = await startBenchRedis();
  const perSecond = async (origin: string, { file, format, rows }: Source) =>
    (rows * 1_000) / (await uploadImport(origin, { file, format, account })).tookMs;
  // What is compiled on first use is not what is measured.
  for (const source of [ndjson, csv]) await perSecond(system.api.origin, source);
  const rates = { ndjson: [] as number[], csv: [] as number[], floor: [] as number[] };
  const cpuUs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    rates.floor.push(await floorRound(floorRedis.url, (origin) => perSecond(origin, ndjson)));
    const before = system.api.cpuMs();
    rates.ndjson.push(await perSecond(system.api.origin, ndjson));
    cpuUs.push(((system.api.cpuMs() - before) * 1_000) / ndjson.rows);
    rates.csv.push(await perSecond(system.api.origin, csv));
  }
  return {
    ndjson_per_second: round(median(rates.ndjson), 0),
    csv_per_second: round(median(rates.csv), 0),
    floor_per_second: round(median(rates.floor), 0),
    api_cpu_us_per_row: round(median(cpuUs), 1),
    ndjson_to_floor: compareRounds(rates.ndjson, rates.floor),
  };
}

async function floorRound(redisUrl: string, measure: (origin: string) => Promise<number>): Promise<number> {
  await using server = await startMeasured('bench/floors/intake-floor.ts', 'PORT', '/ready', {
    REDIS_URL: redisUrl,
    REDIS_PREFIX: 'floor',
  });
  const perSecond = await measure(server.origin);
  const redis = new Redis(redisUrl);
  await redis.flushall();
  redis.disconnect();
  return perSecond;
}

async function measureMemory(files: { plain: Source; keyed: Source; many: Source }) {
  await using system = await startSystem({ prefix: 'memory' });
  const account = await connectHere(system, 'memory');
  // Heaps grow over several imports until they are as large as any of them needs: what a small one takes is the most of three.
  const first = await takeAndWork(system, account, files.plain);
  const few = await takeAndWork(system, account, files.plain);
  const withKeys = await takeAndWork(system, account, files.keyed);
  const many = await takeAndWork(system, account, files.many);
  const small = {
    api: Math.max(...[first, few, withKeys].map(({ apiPeakMb }) => apiPeakMb)),
    worker: Math.max(...[first, few, withKeys].map(({ workerPeakMb }) => workerPeakMb)),
  };
  const large = { api: many.apiPeakMb, worker: many.workerPeakMb };
  return {
    plain: few.bytesPerRow,
    withKeys: withKeys.bytesPerRow,
    growth: {
      [`${few.rows}_rows`]: { ...small, worked_per_second: few.workedPerSecond },
      [`${many.rows}_rows`]: {
        ...large,
        worked_per_second: many.workedPerSecond,
        redis_bytes_per_row: many.bytesPerRow,
      },
      api_grows: large.api - small.api,
      worker_grows: large.worker - small.worker,
    },
  };
}

/** One import, resting first and then worked to its end, its results read; memory is watched all the time. */
async function takeAndWork(system: BenchSystem, account: string, source: Source) {
  const { client, api, redis } = system;
  const [worker] = system.workers;
  if (!worker) throw new Error('there is no worker');
  const peak = { apiPeakMb: 0, workerPeakMb: 0 };
  const look = () => {
    peak.apiPeakMb = Math.max(peak.apiPeakMb, residentMbOf(api.pid));
    peak.workerPeakMb = Math.max(peak.workerPeakMb, residentMbOf(worker.pid));
  };
  const looking = setInterval(look, 100);
  try {
    await client.call('POST', `/integrated-accounts/${account}/pause`);
    const before = await settledBytes(redis.url);
    const { id } = await uploadImport(api.origin, { ...source, account });
    const resting = await settledBytes(redis.url);
    const startedMs = performance.now();
    await client.call('POST', `/integrated-accounts/${account}/resume`);
    const { counts } = await untilEnded(client, id, { withinMs: WORK_WITHIN_MS });
    const tookMs = performance.now() - startedMs;
    if (counts.failed !== source.rows / BAD_EVERY || counts.succeeded + counts.failed !== source.rows)
      throw new Error(`other rows than the bad ones are not written: ${JSON.stringify(counts)}`);
    const worked = await settledBytes(redis.url);
    const results = await readResultsFile(api.origin, id);
    if (results.rows !== source.rows || results.repeated_ids > 0)
      throw new Error(`the results are not those of ${source.rows} rows: ${JSON.stringify(results)}`);
    const perRow = (bytes: number) => round((bytes - before) / source.rows, 1);
    return {
      rows: source.rows,
      ...peak,
      workedPerSecond: round((source.rows * 1_000) / tookMs, 0),
      bytesPerRow: { resting: perRow(resting), with_results: perRow(worked) },
    };
  } finally {
    clearInterval(looking);
  }
}

/** Memory of Redis when what is only under way has gone: the least of some looks. */
async function settledBytes(url: string): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < 8; i++) {
    await sleep(250);
    looks.push((await readRedisFigures(url)).memoryBytes);
  }
  return Math.min(...looks);
}

async function connectHere({ client, sandboxes }: BenchSystem, label: string): Promise<string> {
  const [sandbox] = sandboxes;
  if (!sandbox) throw new Error('there is no sandbox');
  const limits = { provider: 'salesforce', latency_ms: 20, daily_limit: 10_000_000 };
  await sandbox.control('POST', '/limits', limits);
  return (await connectSalesforce(client, { label, origin: sandbox.origin })).id;
}
