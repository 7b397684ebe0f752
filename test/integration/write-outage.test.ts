import { afterAll, beforeAll } from 'vitest';
import { tellOutages } from './write/outage.ts';
import { type Rig, startRig } from './write-rig.ts';

/** Two workers: what one finds out about a provider holds for the other, too. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig({ workers: 2 });
  tellOutages(rig);
});
afterAll(() => rig?.close());
