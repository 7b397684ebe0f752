import { afterAll, beforeAll } from 'vitest';
import { tellCrashes } from './write/crash.ts';
import { tellReviews } from './write/review.ts';
import { tellTwoWorkers } from './write/two-workers.ts';
import { type Rig, startRig } from './write-rig.ts';

/** Stories that kill their worker, or make the provider deaf to everyone: each has a rig of its own, all run at once. */
const rigs: Rig[] = [];
beforeAll(async () => {
  const [crashes, two, reviews] = await Promise.all([startRig(), startRig(), startRig()]);
  rigs.push(crashes, two, reviews);
  tellTwoWorkers(two);
  tellReviews(reviews);
  await tellCrashes(crashes);
});
afterAll(() => Promise.all(rigs.map((rig) => rig.close())));
