import { type Choose, exploreAll } from './explore.ts';
import { type Budget, type Setting, World } from './world.ts';
import { writerDeps } from './writer-deps.ts';

const NONE: Budget = { lostAnswers: 0, preemptions: 0, crashes: 0, lateLooks: 0 };

/** What the suite affords; a few seconds. */
export const BUDGETS: [name: string, budget: Budget][] = [
  ['two lost answers, two preemptions', { ...NONE, lostAnswers: 2, preemptions: 2 }],
  ['three lost answers, late looks, a preemption', { ...NONE, lostAnswers: 3, lateLooks: 1, preemptions: 1 }],
  ['a crash, a lost answer, a preemption', { ...NONE, lostAnswers: 1, preemptions: 1, crashes: 1 }],
  ['two crashes', { ...NONE, crashes: 2 }],
];

/** What takes minutes: `node test/model/deep.ts`. */
export const DEEP_BUDGETS: [name: string, budget: Budget][] = [
  ['two lost answers, three preemptions', { ...NONE, lostAnswers: 2, preemptions: 3 }],
  ['four lost answers, two late looks', { ...NONE, lostAnswers: 4, lateLooks: 2 }],
  ['a crash, a lost answer, two preemptions', { ...NONE, lostAnswers: 1, preemptions: 2, crashes: 1 }],
  ['a crash, two lost answers, a late look', { ...NONE, lostAnswers: 2, crashes: 1, lateLooks: 1 }],
  ['two crashes, a lost answer', { ...NONE, lostAnswers: 1, crashes: 2 }],
  ['two crashes, late looks, a preemption', { ...NONE, crashes: 2, lateLooks: 1, preemptions: 1 }],
];

export const SETTINGS: [name: string, Omit<Setting, 'budget'>][] = [
  ['without a marker', { marker: undefined, parentId: undefined }],
  ['without a marker, under one parent', { marker: undefined, parentId: 'lead' }],
  ['with a marker field', { marker: { kind: 'custom_field', field: 'cf_1' }, parentId: 'lead' }],
  ['with a unique key', { marker: { kind: 'external_id', field: 'Key__c' }, parentId: undefined }],
];

/** Every interleaving within the budget, driven through the real processor on a virtual clock. @returns how many. */
export function everyRunOf(setting: Setting): Promise<number> {
  return exploreAll(async (choose: Choose) => {
    const world = new World(setting, choose, writerDeps);
    await world.run();
    world.check();
  });
}
