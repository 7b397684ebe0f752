import { describe, expect } from 'vitest';
import type { WriteOutcome } from '../../shared/domain/failure.ts';
import type { AccountSettings, ProviderName } from '../../shared/domain/integrated-account.ts';
import type { AttemptOutcome, JobRecord } from '../../shared/domain/job.ts';
import { descriptors } from '../../shared/providers/descriptors.ts';
import type { FailureRow } from '../../shared/providers/port.ts';
import { createStories } from '../integration/stories.ts';
import { aName, CREATE, HASTY, type Rig } from '../integration/write-rig.ts';
import { until } from '../support/until.ts';

export type ProviderCase = {
  provider: ProviderName;
  /** Every field of the unified model this provider has a place for, and what must come back of it. */
  full: { body: Record<string, unknown>; expected: Record<string, unknown> };
  /** Fields with a value the provider itself refuses, and the pointer of ours each must be reported by. */
  bad: { what: string; body: Record<string, unknown>; pointer: string }[];
  /** Where a row's sample is about another request than a plain create: the settings that make it, and its body then. */
  adapt?: (row: FailureRow) => { settings: AccountSettings; body: unknown } | undefined;
};

/** What an attempt that met a row shows; a refused grant has no outcome of its own. */
const SHOWN: Record<Exclude<WriteOutcome['kind'], 'written'>, AttemptOutcome> = {
  permanent: 'permanent',
  retryable: 'retryable',
  rate_limited: 'rate_limited',
  ambiguous: 'ambiguous',
  needs_reauth: 'permanent',
};

/**
 * The one list of behaviours every provider is held to, through a real worker against the sandbox.
 * @returns begins all of them; call it when the rig is ready.
 */
export function describeProvider(subject: ProviderCase): (on: Rig) => void {
  const { provider } = subject;
  const { story, begin } = createStories(50_000);
  let rig: Rig;

  /** One create with `settings`, first made to meet `fault`. @returns the job once its first attempt has an end. */
  async function firstAttempt(row: FailureRow): Promise<{ job: JobRecord; name: string }> {
    const adapted = subject.adapt?.(row);
    const account = await rig.connect(provider, { ...HASTY, ...adapted?.settings });
    const name = aName(row.id);
    const { status, headers, body } = adapted ? { ...row.sample, body: adapted.body } : row.sample;
    await rig.faultOnCreate(provider, name, {
      kind: 'status',
      status,
      ...(headers ? { headers } : {}),
      // Without a body of its own the sandbox would put one in.
      body: body ?? '',
      // A refused token is met twice: once before the refresh, once after it.
      times: row.outcome === 'needs_reauth' ? 2 : 1,
    });
    const id = await rig.submit(account, { name });
    const job = await until(
      `the first attempt of ${row.id} has ended`,
      async () => {
        const found = await rig.job(id);
        return found.attempts[0]?.finishedAtMs === undefined ? undefined : found;
      },
      { withinMs: 30_000 },
    );
    return { job, name };
  }

  describe(`${provider} takes`, () => {
    story('every field of the unified model', async () => {
      const account = await rig.connect(provider);
      const name = aName('Everything');
      const job = await rig.settled(await rig.submit(account, { ...subject.full.body, name }));
      expect(job).toMatchObject({ status: 'succeeded', error: undefined });
      expect(job.result).toMatchObject({ ...subject.full.expected, name });
      expect(await rig.records(provider, name)).toHaveLength(1);
    });
  });

  describe(`${provider} refuses, by our own pointer,`, () => {
    for (const { what, body, pointer } of subject.bad) {
      story(what, async () => {
        const account = await rig.connect(provider);
        const name = aName('Refused');
        const job = await rig.settled(await rig.submit(account, { ...body, name }));
        expect(job.status).toBe('failed');
        const pointers = job.error?.details?.failures.map((failure) => failure.pointer);
        expect(pointers).toContain(pointer);
        expect(await rig.records(provider, name)).toHaveLength(0);
        expect((await rig.creates(provider, name)).length).toBeLessThanOrEqual(1);
      });
    }
  });

  describe(`${provider}: an answer that says`, () => {
    for (const row of descriptors[provider].failureTable) {
      story(`"${row.when}" (${row.id}) is ${row.outcome}`, async () => {
        const { job, name } = await firstAttempt(row);
        if (row.outcome === 'written') throw new Error('a failure table has no row for success');
        expect(job.attempts[0]).toMatchObject({
          number: 1,
          outcome: SHOWN[row.outcome],
          code: row.code,
        });
        const { id } = job;
        switch (row.outcome) {
          case 'permanent': {
            const ended = await rig.settled(id);
            expect(ended).toMatchObject({ status: 'failed', error: { code: row.code }, attemptNumber: 1 });
            expect(await rig.creates(provider, name)).toHaveLength(1);
            expect(await rig.records(provider, name)).toHaveLength(0);
            break;
          }
          case 'ambiguous': {
            // The sample was answered before anything was written: nothing is found, and it is sent once more.
            const ended = await rig.settled(id);
            expect(ended).toMatchObject({ status: 'succeeded', attemptNumber: 2, attemptsSpent: 1 });
            const [first, second] = await rig.creates(provider, name);
            expect(await rig.creates(provider, name)).toHaveLength(2);
            const looks = (await rig.calls(provider)).filter(
              ({ number }) => number > (first?.number ?? 0) && number < (second?.number ?? 0),
            );
            expect(
              looks.some(({ path }) => !path.endsWith(CREATE[provider].path) || path.includes('query')),
            ).toBe(true);
            expect(await rig.records(provider, name)).toHaveLength(1);
            break;
          }
          case 'retryable': {
            const ended = await rig.settled(id);
            expect(ended).toMatchObject({ status: 'succeeded', attemptNumber: 2, attemptsSpent: 1 });
            expect(await rig.creates(provider, name)).toHaveLength(2);
            break;
          }
          case 'rate_limited':
            // Until the stated time; a sample states a moment that may be over.
            expect(job).toMatchObject({ attemptsSpent: 0 });
            expect(['waiting', 'running', 'succeeded']).toContain(job.status);
            break;
          case 'needs_reauth': {
            expect(job).toMatchObject({
              status: 'waiting',
              waitReason: 'account_needs_reauth',
              attemptsSpent: 0,
            });
            const held = await rig.accounts.get(job.account);
            expect(held?.status).toBe('needs_reauth');
            expect(await rig.records(provider, name)).toHaveLength(0);
            break;
          }
        }
      });
    }
  });

  describe(`${provider}: a limit with a time`, () => {
    story('is waited for as told, and costs no attempt', async () => {
      const account = await rig.connect(provider);
      const name = aName('As told');
      await rig.faultOnCreate(provider, name, { kind: 'rate_limit', retry_after_s: 2 });
      const job = await rig.settled(await rig.submit(account, { name }));
      expect(job).toMatchObject({ status: 'succeeded', attemptNumber: 2, attemptsSpent: 0 });
      const [first, second] = await rig.creates(provider, name);
      expect((second?.startedAtMs ?? 0) - (first?.endedAtMs ?? 0)).toBeGreaterThanOrEqual(1_990);
    });
  });

  return (on) => {
    rig = on;
    begin();
  };
}
