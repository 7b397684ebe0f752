import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProviderName } from '../../shared/domain/integrated-account.ts';
import { aName, type Rig, startRig } from './write-rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig?.close());

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

describe.each(PROVIDERS)('a create at %s', (provider) => {
  it.concurrent('ends as exactly one record, read back as our opportunity', async () => {
    const account = await rig.connect(provider);
    const name = aName('Annual License');
    const job = await rig.settled(await rig.submit(account, { name, description: 'Two sites' }));
    expect(job).toMatchObject({
      status: 'succeeded',
      attemptNumber: 1,
      error: undefined,
      inFlight: undefined,
    });
    expect(job.result).toMatchObject({ name, description: 'Two sites', status: 'open' });
    expect(job.attempts).toHaveLength(1);
    expect(job.attempts[0]).toMatchObject({ number: 1, outcome: 'succeeded' });
    expect(await rig.records(provider, name)).toHaveLength(1);
    expect(await rig.creates(provider, name)).toHaveLength(1);
  });
});
