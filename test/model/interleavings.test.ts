import { describe, expect, it } from 'vitest';
import { BUDGETS, everyRunOf, SETTINGS } from './settings.ts';
import type { Budget, Removed } from './world.ts';

describe.each(SETTINGS)('two equal creates in flight at once, %s', (_, setting) => {
  it.each(BUDGETS)('%s: both exist in the end, or a person is asked', async (_name, budget) => {
    expect(await everyRunOf({ ...setting, budget })).toBeGreaterThan(100);
  });
});

describe('the model notices when a protection is missing', () => {
  const budget: Budget = { lostAnswers: 2, preemptions: 1, crashes: 0, lateLooks: 1 };
  const bare = { marker: undefined, parentId: undefined, budget };

  it.each<[Removed, RegExp]>([
    ['twins', /more records than jobs/],
    ['claims', /one record is theirs/],
    ['settling', /more records than jobs/],
  ])('%s', async (without, complaint) => {
    await expect(everyRunOf({ ...bare, without })).rejects.toThrow(complaint);
  });

  it('settling, with a marker that is not unique', async () => {
    const marker = { kind: 'custom_field', field: 'cf_1' } as const;
    await expect(everyRunOf({ ...bare, marker, without: 'settling' })).rejects.toThrow(/more records/);
  });
});
