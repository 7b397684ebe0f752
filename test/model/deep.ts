import { DEEP_BUDGETS, everyRunOf, SETTINGS } from './settings.ts';

/** The model with larger budgets, outside the suite: several hundred thousand runs. Throws at the first bad one. */
for (const [place, setting] of SETTINGS) {
  for (const [name, budget] of DEEP_BUDGETS) {
    const runs = await everyRunOf({ ...setting, budget });
    console.log(`${place}: ${name}: ${runs} runs, all right`);
  }
}
