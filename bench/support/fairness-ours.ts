import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectClose, openJobsOf, sendCreate } from './accounts.ts';
import type { Sender } from './latency.ts';
import type { BenchSandbox } from './sandbox.ts';
import type { BenchSystem } from './system.ts';

export const OTHERS = 200;
export const FLOOD_PER_SECOND = 100;
/** Accounts at the provider that hangs, and creates of each: more calls than a worker may have under way. */
export const HANGING_ACCOUNTS = 30;
export const HANGING_CREATES = 24;
const HANGING_CONCURRENCY = 8;

/** Numbers of the credentials: one sandbox tells them apart. */
const FLOOD_NUMBER = OTHERS;
const HANGING_NUMBER = OTHERS + 1;

export type Others = { system: BenchSystem; sandbox: BenchSandbox };

/** Accounts that send one now and then. */
export async function othersOfOurs({ system, sandbox }: Others): Promise<{ senders: Sender[] }> {
  const { client } = system;
  const senders: Sender[] = [];
  await client.many(OTHERS, 16, async (n) => {
    const { id, shown } = await connectClose(client, { n, origin: sandbox.origin });
    senders.push({ shown, send: (i) => sendCreate(client, id, i) });
  });
  return { senders };
}

/** One account with `count` creates waiting; they begin to leave at once. */
export async function floodOurs({ system, sandbox }: Others, count: number) {
  const { client } = system;
  const { id } = await connectClose(client, {
    ...{ n: FLOOD_NUMBER, origin: sandbox.origin },
    settings: { rate_limit: { requests: FLOOD_PER_SECOND, per_seconds: 1, concurrency: 16 } },
  });
  const startedMs = Date.now();
  await client.many(count, 64, (i) => sendCreate(client, id, i));
  const acceptedPerSecond = (count * 1_000) / (Date.now() - startedMs);
  return {
    acceptedPerSecond,
    /** Holds the account. @returns what was left of the flood. */
    async end(): Promise<number> {
      await client.call('POST', `/integrated-accounts/${id}/pause`);
      return openJobsOf(client, id);
    },
  };
}

/** Accounts whose provider takes every call and answers none; resolves when as many hang as may. */
export async function hangOurs({ system, sandbox }: Others) {
  const { client } = system;
  const ids: string[] = [];
  await client.many(HANGING_ACCOUNTS, 16, async (n) => {
    const { id } = await connectClose(client, {
      ...{ n: HANGING_NUMBER + n, origin: sandbox.origin },
      settings: { rate_limit: { concurrency: HANGING_CONCURRENCY } },
    });
    ids.push(id);
  });
  await client.many(HANGING_ACCOUNTS * HANGING_CREATES, 64, (i) =>
    // Each under a parent of its own: creates under one parent would wait for the lost one, and not hang.
    client.call(
      'POST',
      `/unified/crm/opportunities?integrated_account_id=${ids[i % ids.length]}`,
      hangingBody(i),
      randomUUID(),
    ),
  );
  const callsUnderWay = async () => {
    const path = '/calls?provider=close&summary=true';
    const { in_flight } = await sandbox.control<{ in_flight: number }>('GET', path);
    return in_flight;
  };
  await sleep(3_000);
  return { callsUnderWay };
}

function hangingBody(i: number): Record<string, unknown> {
  const lead = `lead_Account${String((i % 1_000) + 1).padStart(4, '0')}`;
  return { name: `Hanging ${i}`, account: { id: lead }, owner: { id: 'user_Ann' }, amount: 1250.5 };
}
