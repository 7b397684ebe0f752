import { afterAll, beforeAll } from 'vitest';
import { type Rig, startRig } from '../integration/write-rig.ts';
import { describeProvider } from './behaviours.ts';
import { capsuleCase } from './capsule.ts';
import { closeCase } from './close.ts';
import { salesforceCase } from './salesforce.ts';

const begins = [salesforceCase, closeCase, capsuleCase].map(describeProvider);

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  for (const begin of begins) begin(rig);
});
afterAll(() => rig?.close());
