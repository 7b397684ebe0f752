import { afterAll, beforeAll } from 'vitest';
import { tellLimits } from './write/limits.ts';
import { type Rig, startRig } from './write-rig.ts';

/** Apart from all others: here it counts when a call was made. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  tellLimits(rig);
});
afterAll(() => rig?.close());
