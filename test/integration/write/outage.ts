import { expect } from 'vitest';
import type { ProviderName, StoredCredentials } from '../../../shared/domain/integrated-account.ts';
import { createGateReader } from '../../../shared/stores/gate-reading.ts';
import { until } from '../../support/until.ts';
import { createStories, group } from '../stories.ts';
import { aName, HASTY, type Rig } from '../write-rig.ts';

const PROVIDERS: ProviderName[] = ['salesforce', 'close', 'capsule'];

/** An answer to a request that is wrong, in each provider's own words. */
const REFUSAL: Record<ProviderName, { status: number; body: unknown }> = {
  salesforce: {
    status: 400,
    body: [{ errorCode: 'FIELD_INTEGRITY_EXCEPTION', message: 'wrong', fields: ['AccountId'] }],
  },
  close: { status: 400, body: { errors: [], 'field-errors': { lead: 'wrong' } } },
  capsule: {
    status: 422,
    body: {
      message: 'Validation Failed',
      errors: [{ message: 'wrong', resource: 'opportunity', field: 'party' }],
    },
  },
};

const { story, begin } = createStories();
let rig: Rig;

/** Begins every story of this file, on a rig that others use too. */
export function tellOutages(on: Rig): void {
  rig = on;
  begin();
}

/** The same credentials, at an address where nobody listens. */
function unreachable(credentials: StoredCredentials): StoredCredentials {
  const text = JSON.stringify(credentials).replaceAll(rig.sandbox.origin, 'http://127.0.0.1:9');
  // A token, so that the call itself is made and not the one for a token.
  return { ...JSON.parse(text), access_token: 'anything' };
}

/** An account that has worked, and whose provider is gone. */
async function anAccountCutOff(provider: ProviderName, settings = HASTY) {
  const credentials = rig.credentialsOf(provider);
  const account = await rig.connect(provider, settings, credentials);
  await rig.settled(await rig.submit(account, { name: aName('Before') }));
  const working = (await rig.accounts.credentials(account.id))?.credentials ?? credentials;
  await rig.accounts.replaceCredentials(account.id, unreachable(credentials));
  return { account, restore: () => rig.accounts.replaceCredentials(account.id, working) };
}

const metricsOf = async ({ origin }: { origin: string }) => (await fetch(`${origin}/metrics`)).text();

const isOver = ({ outcome }: { outcome?: string }) => outcome === 'retryable';

async function readGate(account: { id: string }) {
  return createGateReader(rig)(account.id, Date.now());
}

for (const provider of PROVIDERS)
  group(`${provider} that is gone`, () => {
    story(
      'is asked by one job at a time, none loses its attempts, and all are written when it is back',
      async () => {
        const { account, restore } = await anAccountCutOff(provider);
        const name = aName('Gone');
        const ids = await Promise.all(
          Array.from({ length: 20 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
        );
        await until('the account says why', async () => {
          return (await rig.accounts.get(account.id))?.lastError?.code === 'provider_unreachable';
        });
        expect(await readGate(account)).toMatchObject({ isDown: true });
        await until('a probe was in vain, and cost its job nothing', async () => {
          const jobs = await Promise.all(ids.map(rig.job));
          return jobs.some(({ attempts, attemptsSpent }) => attempts.filter(isOver).length > attemptsSpent);
        });
        const during = await Promise.all(ids.map(rig.job));
        // Those under way when it was found out, and no more.
        expect(during.reduce((sum, { attemptsSpent }) => sum + attemptsSpent, 0)).toBeLessThanOrEqual(12);
        expect(during.some(({ waitReason }) => waitReason === 'retry_backoff')).toBe(true);
        const metrics = await Promise.all(rig.workers.map(metricsOf));
        for (const text of metrics)
          expect(text).toMatch(
            new RegExp(
              `^dealwright_accounts_stopped{provider="${provider}",reason="outage",process="worker"} [1-9]`,
              'm',
            ),
          );
        expect(metrics.join('')).toMatch(
          new RegExp(
            `^dealwright_gate_turned_away_total{provider="${provider}",reason="down",process="worker"} [1-9]`,
            'm',
          ),
        );
        expect(metrics.join('')).not.toContain(account.id);
        await restore();
        const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
        expect(jobs.every(({ status }) => status === 'succeeded')).toBe(true);
        expect(await rig.records(provider, name)).toHaveLength(20);
        await until('nothing is said of it any more', async () => {
          return (await rig.accounts.get(account.id))?.lastError === undefined;
        });
        expect(await readGate(account)).toMatchObject({ isDown: false, blockedUntilMs: undefined });
      },
    );

    story('does not outlast a deadline, and is no other account’s matter', async () => {
      const { account } = await anAccountCutOff(provider, { ...HASTY, retry: { deadline_seconds: 4 } });
      const ids = await Promise.all(
        Array.from({ length: 40 }, () => rig.submit(account, { name: aName('Late') })),
      );
      const other = await rig.connect(provider);
      expect(await rig.settled(await rig.submit(other, { name: aName('Other') }))).toMatchObject({
        status: 'succeeded',
        attemptNumber: 1,
      });
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      for (const job of jobs)
        expect(job).toMatchObject({ status: 'failed', error: { code: 'deadline_exceeded' } });
      expect(jobs.some(({ attemptNumber }) => attemptNumber === 0)).toBe(true);
    });

    story('before its live values could be read does not outlast a deadline either', async () => {
      const account = await rig.connect(
        provider,
        { ...HASTY, retry: { deadline_seconds: 3 } },
        unreachable(rig.credentialsOf(provider)),
      );
      const job = await rig.settled(await rig.submit(account, { name: aName('Unread') }));
      expect(job).toMatchObject({
        status: 'failed',
        attemptNumber: 0,
        error: { code: 'deadline_exceeded' },
      });
    });

    story('in the middle of its calls is looked up before anything is sent again', async () => {
      const account = await rig.connect(provider);
      await rig.settled(await rig.submit(account, { name: aName('Before') }));
      const name = aName('Cut');
      await rig.faultOnCreate(provider, name, { kind: 'reset_after_commit', times: 5 });
      const ids = await Promise.all(
        Array.from({ length: 6 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
      );
      const jobs = await Promise.all(ids.map((id) => rig.settled(id, 50_000)));
      expect(jobs.every(({ status }) => status === 'succeeded')).toBe(true);
      expect(await rig.records(provider, name)).toHaveLength(6);
    });

    story('is not the same as one that refuses: those end as they would alone', async () => {
      const account = await rig.connect(provider);
      const name = aName('Refused');
      await rig.faultOnCreate(provider, name, { kind: 'status', ...REFUSAL[provider], times: -1 });
      const ids = await Promise.all(
        Array.from({ length: 8 }, (_, i) => rig.submit(account, { name: `${name} #${i}` })),
      );
      const jobs = await Promise.all(ids.map((id) => rig.settled(id)));
      for (const { status, attempts } of jobs) {
        expect(status).toBe('failed');
        expect(attempts.at(-1)?.outcome).toBe('permanent');
      }
      expect(await readGate(account)).toMatchObject({ isDown: false });
      expect((await rig.accounts.get(account.id))?.lastError).toBeUndefined();
    });
  });
