import { expect, it } from 'vitest';
import { paceOfImport } from '../../shared/contract/import-view.ts';
import { chunkOfRow, firstRowOfChunk, type ImportRecord } from '../../shared/domain/import.ts';
import {
  createImportId,
  createPartitionedId,
  isUuid,
  partitionOfId,
  rowJobId,
  rowOfJobId,
} from '../../shared/ids.ts';
import { salesforceBatch } from '../../shared/providers/salesforce/batch.ts';
import {
  decodeAgain,
  decodeResult,
  encodeAgain,
  encodeResult,
  packRows,
  unpackRows,
} from '../../shared/stores/import-row-codec.ts';
import { chooseStrategy } from '../../shared/use-cases/choose-strategy.ts';

it("a row's job id follows from import and row, tells both, and sorts by row", () => {
  const id = createImportId(17, 1_760_000_000_000);
  const rows = [1, 2, 0xfff, 0x1000, 0xff_ffff];
  const ids = rows.map((row) => rowJobId(id, row));
  expect(ids.map((job) => rowOfJobId(job))).toEqual(rows.map((row) => ({ importId: id, row })));
  expect(ids.every((job) => isUuid(job) && partitionOfId(job) === 17)).toBe(true);
  expect([...ids].sort()).toEqual(ids);
});

it('no other id is taken for that of a row', () => {
  const id = createImportId(3, 1_760_000_000_000);
  expect(rowOfJobId(id)).toBeUndefined();
  expect(rowOfJobId(createPartitionedId(3, 1_760_000_000_000))).toBeUndefined();
  expect(rowOfJobId('nonsense')).toBeUndefined();
});

it('chunks hold 200 rows, counted from 1', () => {
  expect([1, 200, 201, 400].map(chunkOfRow)).toEqual([0, 0, 1, 1]);
  expect(firstRowOfChunk(1)).toBe(201);
});

it.each([
  { status: 'succeeded', remoteId: '006XX0000000001AAA', sequence: 3 },
  { status: 'succeeded', remoteId: '006XX0000000001AAA', sequence: 12 },
  { status: 'duplicate', remoteId: 'oppo_1', owner: '019b0c7e-6d1f-8000-8001-5f2e8a7d0b2a' },
  { status: 'duplicate', remoteId: undefined, owner: '019b0c7e-6d1f-8000-8001-5f2e8a7d0b2a' },
  {
    status: 'failed',
    attempt: 2,
    generation: 3,
    code: 'stage_not_found',
    message: 'no "x"',
    pointer: '/stage',
    sequence: 5,
  },
] as const)('a result is read as it was written: %j', (result) => {
  expect(decodeResult(encodeResult(result))).toEqual(result);
});

it('a row that is to be tried again has no result, and its numbers', () => {
  const again = encodeAgain({ attempt: 4, generation: 2, sequence: 7 });
  expect(decodeResult(again)).toBeUndefined();
  expect(decodeAgain(again)).toEqual({ attempt: 4, generation: 2, sequence: 7 });
  expect(decodeAgain('q[4,2]')).toEqual({ attempt: 4, generation: 2, sequence: 0 });
  expect(decodeAgain(encodeResult({ status: 'succeeded', remoteId: 'q1' }))).toBeUndefined();
});

it('rows rest packed and come back as they were', async () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    row: i + 1,
    line: i + 2,
    original: JSON.stringify({ name: `Deal ${i} "quoted"\n`, amount: i }),
    ...(i % 3 === 0 ? {} : { body: JSON.stringify({ name: `Deal ${i} "quoted"\n`, amount: i }) }),
    ...(i % 2 === 0 ? { dedupeKey: `crm-${i}` } : {}),
  }));
  expect(await unpackRows(await packRows(rows))).toEqual(rows);
});

// Only what the pace is made of.
const running = (counts: Partial<ImportRecord['counts']>, startedAtMs?: number) =>
  ({
    status: 'running',
    startedAtMs,
    counts: { total: 100, queued: 0, running: 0, ...counts },
  }) as ImportRecord;

it('the time left follows from the pace, and from how long the account is blocked', () => {
  expect(paceOfImport(running({ queued: 100 }), 5_000)).toEqual({ rowsPerSecond: null, etaSeconds: null });
  expect(paceOfImport(running({ queued: 50 }, 0), 5_000)).toEqual({ rowsPerSecond: 10, etaSeconds: 5 });
  expect(paceOfImport(running({ queued: 50 }, 0), 5_000, 65_000)).toEqual({
    rowsPerSecond: 10,
    etaSeconds: 65,
  });
  expect(paceOfImport(running({ queued: 100 }, 0), 5_000)).toEqual({ rowsPerSecond: 0, etaSeconds: null });
});

it('rows go in batches only where a unique key makes sending them twice harmless', () => {
  const keyed = {
    provider: 'salesforce',
    settings: { marker: { kind: 'external_id', field: 'K__c' } },
  } as const;
  const unkeyed = { provider: 'salesforce', settings: {} } as const;
  const choice = (...[asked, batch, account, rowEvents]: Parameters<typeof chooseStrategy>) => {
    const { strategy, reason } = chooseStrategy(asked, batch, account, rowEvents);
    return `${strategy}: ${reason}`;
  };
  expect(choice('auto', salesforceBatch, keyed, false)).toBe('collections: 200 rows go in one call.');
  expect(choice('auto', salesforceBatch, keyed, true)).toMatch(/^single: .*row_events/);
  expect(choice('auto', salesforceBatch, unkeyed, false)).toMatch(/^single: .*settings\.marker/);
  expect(choice('bulk', salesforceBatch, keyed, false)).toBe('bulk: As asked for.');
  expect(() => chooseStrategy('collections', salesforceBatch, unkeyed, false)).toThrow(/marker/);
  expect(() => chooseStrategy('collections', salesforceBatch, keyed, true)).toThrow(/row_events/);
  expect(() => chooseStrategy('collections', undefined, { provider: 'close', settings: {} }, false)).toThrow(
    /close/,
  );
  expect(() => chooseStrategy('bulk', salesforceBatch, unkeyed, false)).toThrow(/marker/);
  const noBulk = { ...salesforceBatch, bulkRowsMax: undefined };
  expect(() => chooseStrategy('bulk', noBulk, keyed, false)).toThrow(/no bulk jobs/);
});
