import { afterAll, beforeAll } from 'vitest';
import { tellFailures } from './write/failures.ts';
import { tellLostCreates } from './write/lost-creates.ts';
import { tellSuccesses } from './write/success.ts';
import { type Rig, startRig } from './write-rig.ts';

/** One worker and one sandbox for all of them: what a story does wrong to the provider hits only its own creates. */
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
  // Lists lag behind in reality; a verdict that came before would be wrong.
  await rig.control('POST', '/limits', { provider: 'close', list_lag_ms: 300 });
  for (const tell of [tellLostCreates, tellFailures, tellSuccesses]) tell(rig);
});
afterAll(() => rig?.close());
