import { expect } from 'vitest';
import { until } from '../../support/until.ts';
import { createStories } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

const { story, begin } = createStories(55_000);
let rig: Rig;

/** Begins every story of this file, on a rig of its own. */
export function tellTwoWorkers(on: Rig): void {
  rig = on;
  begin();
}

story(
  'a frozen worker loses its job to another one, and what it learns on waking up makes no second record',
  async () => {
    const [frozen] = rig.workers;
    const account = await rig.connect('close', { ...HASTY, timeout_ms: 6_000 });
    const [answered, unsent] = [aName('Answered meanwhile'), aName('Lost meanwhile')];
    // Answered while the worker is frozen; the other one is never written.
    await rig.faultOnCreate('close', answered, { kind: 'hang_after_commit', delay_ms: 1_500 });
    await rig.faultOnCreate('close', unsent, { kind: 'hang_before_commit' });
    const ids = [await rig.submit(account, { name: answered }), await rig.submit(account, { name: unsent })];
    for (const name of [answered, unsent])
      await until('the call is on the wire', async () => (await rig.creates('close', name)).length === 1);
    frozen?.child.process.kill('SIGSTOP');
    await rig.addWorker();
    await until(
      'the other worker has taken both over',
      async () => (await Promise.all(ids.map(rig.job))).every(({ inFlight }) => inFlight === undefined),
      { withinMs: 20_000 },
    );
    frozen?.child.process.kill('SIGCONT');
    const jobs = await Promise.all(ids.map((id) => rig.settled(id, 45_000)));
    expect(jobs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(jobs[0]).toMatchObject({ attemptNumber: 1 });
    for (const name of [answered, unsent]) expect(await rig.records('close', name)).toHaveLength(1);
    expect(await rig.creates('close', answered)).toHaveLength(1);
    expect(await rig.creates('close', unsent)).toHaveLength(2);

    // Both workers go on, and none writes what the other one has.
    const name = aName('Both');
    const many = await Promise.all(
      Array.from({ length: 60 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
    );
    const ended = await Promise.all(many.map((id) => rig.settled(id)));
    expect(ended.every(({ status, attemptNumber }) => status === 'succeeded' && attemptNumber === 1)).toBe(
      true,
    );
    expect(await rig.records('close', name)).toHaveLength(60);
  },
);
