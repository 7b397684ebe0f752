import { type ChaosAccount, SETTLE_MS, TIMEOUT_MS } from './accounts.ts';
import { createRandom } from './random.ts';

type Fault = Record<string, unknown> & { kind: string; probability: number };

/**
 * What goes wrong at the providers, by chance, for every create: answers lost before and after the commit, late
 * commits, gateway errors after the commit, limits. Late commits come up to 80 % of `settle_ms` after the caller gave
 * up, where nothing but time protects; up to 300 % where the provider's unique key does.
 */
export function faultsOf(account: ChaosAccount, seed: number): Fault[] {
  const random = createRandom(seed);
  const unique = account.marker?.kind === 'external_id';
  const lateMs = () => Math.round(random.next() * SETTLE_MS * (unique ? 3 : 0.8));
  const late = (): Fault[] => [
    // The caller's time-out ends the call, and the commit comes after it.
    { kind: 'late_commit', probability: 0.008, delay_ms: TIMEOUT_MS + lateMs() },
    // The connection breaks at once, and the commit comes later.
    { kind: 'late_commit', probability: 0.008, delay_ms: lateMs(), reset_after_ms: random.between(1, 200) },
  ];
  return [
    { kind: 'reset_before_commit', probability: 0.03 },
    { kind: 'reset_after_commit', probability: 0.03 },
    { kind: 'hang_before_commit', probability: 0.012 },
    { kind: 'hang_after_commit', probability: 0.02 },
    { kind: 'status', status: 502, after_commit: true, probability: 0.02 },
    { kind: 'rate_limit', retry_after_s: 1, probability: 0.002 },
    ...late(),
    ...late(),
    ...late(),
  ];
}

/** The creates of one account, and nothing else of it. */
function createsOf(account: ChaosAccount): { method: string; path: string; authorization: string } {
  const { authorization } = account;
  switch (account.provider) {
    case 'salesforce':
      return {
        method: account.marker?.kind === 'external_id' ? 'PATCH' : 'POST',
        path: '/sobjects/Opportunity',
        authorization,
      };
    case 'close':
      return { method: 'POST', path: '/close/api/v1/opportunity/', authorization };
    case 'capsule':
      return { method: 'POST', path: '/\\/api\\/v2\\/opportunities$/', authorization };
  }
}

export async function armFaults(
  sandbox: string,
  accounts: ChaosAccount[],
  seed: number,
  naive: boolean,
): Promise<void> {
  // Reads are behind the truth, by less than the time the account is said to settle in.
  await control(sandbox, 'limits', {
    provider: 'close',
    list_lag_ms: Math.round(SETTLE_MS * 0.6),
    event_lag_ms: Math.round(SETTLE_MS * 0.3),
    event_late_every: 2,
  });
  await control(sandbox, 'limits', { provider: 'capsule', filter_lag_ms: Math.round(SETTLE_MS * 0.6) });
  for (const [i, account] of accounts.entries()) {
    const match = createsOf(account);
    if (naive) match.method = 'POST';
    for (const [j, fault] of faultsOf(account, seed * 1_000 + i).entries()) {
      const { provider } = account;
      await control(sandbox, 'faults', {
        provider,
        match,
        times: -1,
        seed: seed * 1_000 + i * 50 + j,
        ...fault,
      });
    }
  }
}

/** Rows that meet a lock, whatever call they are in; calls of bulk jobs that are lost, before or after they did something. */
const LOCKED_ROWS = 0.01;
const LOST_BULK_CALLS = 0.05;
/** A call takes so long, and a bulk job some seconds, that some are always under way when a process dies. */
const IMPORT_LIMITS = { provider: 'salesforce', latency_ms: 200, bulk_delay_ms: 1_000, bulk_chunk_ms: 500 };

/** What imports meet besides {@link armFaults}. */
export async function armImportFaults(sandbox: string, seed: number): Promise<void> {
  const always = { provider: 'salesforce', times: -1, seed };
  const rows = { method: 'PATCH', path: '/sobjects/Opportunity/' };
  await control(sandbox, 'faults', { ...always, kind: 'lock_row', row_rate: LOCKED_ROWS, match: rows });
  for (const kind of ['reset_before_commit', 'reset_after_commit']) {
    const lost = { kind, probability: LOST_BULK_CALLS, match: { path: '/jobs/ingest' } };
    await control(sandbox, 'faults', { ...always, ...lost });
  }
  await control(sandbox, 'limits', IMPORT_LIMITS);
}

export async function control(sandbox: string, what: string, body: unknown): Promise<void> {
  const answer = await fetch(`${sandbox}/_control/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`sandbox refused ${what}: ${await answer.text()}`);
}
