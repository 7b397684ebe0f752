import { expect, it } from 'vitest';
import { runImportChaos } from '../../chaos/imports.ts';
import { runChaos } from '../../chaos/run.ts';

/** A short run of `npm run chaos`; the long ones, over many seeds, stand in docs/guarantees.md. */
it('creates under kills and faults end as exactly one record each', { timeout: 150_000 }, async () => {
  const result = await runChaos({
    seed: 4,
    creates: 120,
    kills: 4,
    lengthMs: 8_000,
    settleWithinMs: 90_000,
    naive: false,
    log: () => {},
  });
  expect(result.findings).toEqual([]);
  expect(result).toMatchObject({ creates: 120, duplicates: 0, lost: 0, non_terminal: 0, failed: 0 });
  expect(result.needs_review).toBe(result.needs_review_explained);
  expect(Object.values(result.kills).reduce((sum, kills) => sum + kills, 0)).toBe(4);
});

it('rows of imports under kills and faults end as exactly one record each', {
  timeout: 240_000,
}, async () => {
  const result = await runImportChaos({
    seed: 4,
    rows: 800,
    kills: 5,
    lengthMs: 20_000,
    settleWithinMs: 150_000,
    log: () => {},
  });
  expect(result.findings).toEqual([]);
  expect(result).toMatchObject({ duplicates: 0, lost: 0, not_ended: 0, miscounted: 0, needs_review: 0 });
  expect(result.succeeded + result.failed + result.duplicate).toBe(result.rows);
});
