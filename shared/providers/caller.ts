import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'qs';
import type { Clock } from '../clock.ts';
import type { StoredCredentials } from '../domain/integrated-account.ts';
import type { Account } from '../stores/account-store.ts';
import { clients } from './clients.ts';
import { descriptors } from './descriptors.ts';
import { type Entered, type Gate, type Leaving, type Pace, paceOf } from './gate.ts';
import type { Places } from './places.ts';
import type {
  AnsweredCall,
  Call,
  CallPurpose,
  CallResult,
  ProviderDescriptor,
  ProviderRequest,
} from './port.ts';
import type { ProviderClock } from './provider-clock.ts';
import type { Send } from './send.ts';
import type { TokenRefresher } from './token-refresh.ts';

/** A create waits this long in place for its turn; longer, and it gives its place in the queue back. */
const CREATE_WAIT_MS = 250;
/** Calls that complete something already begun wait longer before they give up their place. */
const FOLLOWING_WAIT_MS = 2_000;
/** A call that took longer than this to its turn asks again whether the account has been blocked meanwhile. */
const WAITED_MS = 5;
/** How soon to ask again for a concurrency lease. */
const LEASE_RETRY_MS = 25;
/** Waits after limits without a stated time, by scope: they double with every hit in a row. */
const GROWING = {
  account: { firstMs: 2_000, maxMs: 300_000 },
  concurrency: { firstMs: 2_000, maxMs: 60_000 },
  daily: { firstMs: 300_000, maxMs: 3_600_000 },
} as const;
const DEFAULT_TIMEOUT_MS = 30_000;

export type CallOptions = {
  /**
   * Runs after the gate let the call pass and before anything is sent: makes the intent durable.
   * A text is the reason not to send.
   */
  beforeSend?: () => Promise<string | undefined>;
  /** See {@link SendRequest.fence}. */
  fence?: () => string | undefined;
  signal?: AbortSignal;
};

export type CredentialsOf = (
  account: string,
) => Promise<{ credentials: StoredCredentials; version: number } | undefined>;

export type CallerDeps = {
  gate: Gate;
  send: Send;
  places: Places;
  credentialsOf: CredentialsOf;
  refresher: TokenRefresher;
  clock: Clock;
  providerClock: ProviderClock;
};

export type Caller = (account: Account, options?: CallOptions) => Call;

export function timeoutOf(account: Account): number {
  return account.settings.timeout_ms ?? DEFAULT_TIMEOUT_MS;
}

/**
 * Paced, authenticated calls to an account's provider: gate → place → token → send → what the answer teaches the gate.
 * A refused token is refreshed once and the request repeated: a 401 is never a write.
 */
export function createCaller(deps: CallerDeps): Caller {
  return (account, options = {}) => {
    const descriptor = descriptors[account.provider];
    const pace = paceOf(descriptor, account.settings);

    return async (request) => {
      const opened = await deps.credentialsOf(account.id);
      if (!opened) return { kind: 'needs_reauth', message: 'the account has no readable credentials' };
      let { credentials, version } = opened;
      if (needsToken(credentials)) {
        const refreshed = await deps.refresher.refresh(account, version);
        if (refreshed.kind !== 'tokens') return refusal(refreshed, deps.clock.nowMs());
        ({ credentials, version } = refreshed);
      }
      let asked = false;
      const beforeSend = async () => {
        // A repeat after a token refresh belongs to the same attempt: the intent is durable already.
        if (asked || !options.beforeSend) return undefined;
        asked = true;
        return options.beforeSend();
      };
      const once = (current: StoredCredentials) =>
        callOnce(deps, {
          account,
          descriptor,
          pace,
          request,
          credentials: current,
          options: { ...options, beforeSend },
        });
      const first = await once(credentials);
      if (!isRefusedToken(first, descriptor, request)) return first;
      const refreshed = await deps.refresher.refresh(account, version);
      if (refreshed.kind !== 'tokens')
        return { ...refusal(refreshed, deps.clock.nowMs()), ...statusOf(first) };
      const second = await once(refreshed.credentials);
      if (!isRefusedToken(second, descriptor, request)) return second;
      return {
        kind: 'needs_reauth',
        message: 'the provider refused a token it had just given',
        ...statusOf(second),
      };
    };
  };
}

type OneCall = {
  account: Account;
  descriptor: ProviderDescriptor;
  pace: Pace;
  request: ProviderRequest;
  credentials: StoredCredentials;
  options: CallOptions;
};

async function callOnce(deps: CallerDeps, call: OneCall): Promise<CallResult> {
  const { account, request } = call;
  const timeoutMs = timeoutOf(account);
  const url = urlOf(call);
  const beganMs = deps.clock.nowMs();
  const entered = await enterGate(deps, account.id, call.pace, request.purpose, timeoutMs);
  if (entered.kind === 'later') return deferredBy(deps, entered);
  const release = await deps.places.take(new URL(url).host);
  let leaving: Leaving = {};
  try {
    if (deps.clock.nowMs() - beganMs > WAITED_MS) {
      // While it waited for its slot and a place, another call may have met the limit.
      const still = await deps.gate.recheck(account.id, call.pace, leaseOf(timeoutMs), entered.lease);
      if (still.kind === 'later') return deferredBy(deps, still);
    }
    const refusal = await call.options.beforeSend?.();
    if (refusal) return { kind: 'not_sent', code: 'fenced', message: refusal };
    const result = await deps.send({
      method: request.method,
      url,
      timeoutMs,
      fence: call.options.fence,
      signal: call.options.signal,
      ...headersAndBody(call),
    });
    if (result.kind === 'answered') {
      deps.providerClock.learn(account.id, result.headers.date, result.receivedAtMs);
      leaving = lessonsOf(call.descriptor, request, result, deps.clock.nowMs());
    }
    return result;
  } finally {
    release();
    // Not awaited by the answer's way: the lease would expire by itself, and what was learned is only advice.
    deps.gate.leave(account.id, entered.lease, leaving, deps.clock.nowMs()).catch(() => {});
  }
}

/** The lease outlives the call's own time-out, so that it is never given away under a call in flight. */
const leaseOf = (timeoutMs: number) => timeoutMs + 15_000;

function deferredBy(
  { clock }: Pick<CallerDeps, 'clock'>,
  { ms }: Extract<Entered, { kind: 'later' }>,
): CallResult {
  return { kind: 'deferred', untilMs: clock.nowMs() + ms, reason: 'rate_limited' };
}

/** Asks the gate, waiting in place as long as the purpose of the call is worth it. */
export async function enterGate(
  deps: Pick<CallerDeps, 'gate' | 'clock'>,
  account: string,
  pace: Pace,
  purpose: CallPurpose,
  timeoutMs: number,
) {
  const patienceMs = purpose === 'create' ? CREATE_WAIT_MS : FOLLOWING_WAIT_MS;
  const deadlineMs = deps.clock.nowMs() + patienceMs;
  for (;;) {
    const leftMs = Math.max(0, deadlineMs - deps.clock.nowMs());
    const entered = await deps.gate.enter(account, pace, leaseOf(timeoutMs), leftMs);
    if (entered.kind === 'go') {
      if (entered.waitMs > 0) await sleep(entered.waitMs);
      return entered;
    }
    if (entered.reason !== 'concurrency' || leftMs < LEASE_RETRY_MS) return entered;
    await sleep(LEASE_RETRY_MS);
  }
}

function urlOf({ descriptor, credentials, account, request }: OneCall): string {
  const query =
    request.query && Object.keys(request.query).length > 0
      ? `?${stringify(request.query, { arrayFormat: 'brackets', encodeValuesOnly: true })}`
      : '';
  return `${descriptor.baseUrl(credentials, account.settings)}${request.path}${query}`;
}

function headersAndBody({ account, credentials, request }: OneCall): {
  headers: Record<string, string>;
  body?: string;
} {
  const headers: Record<string, string> = {
    accept: 'application/json',
    'user-agent': 'dealwright',
    ...request.headers,
    ...clients[account.provider].authorize(credentials),
  };
  if (request.body === undefined) return { headers };
  if (typeof request.body === 'string') return { headers, body: request.body };
  return { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(request.body) };
}

/** What an answer teaches the gate about limits. */
function lessonsOf(
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
  answer: AnsweredCall,
  nowMs: number,
): Leaving {
  const learned = descriptor.readLimits(answer.headers, nowMs);
  const source = Object.keys(learned).length > 0 ? 'headers' : undefined;
  if (answer.status < 400) return { learned, learnedFrom: source, succeeded: true };
  const outcome = descriptor.classify(answer, request);
  if (outcome.kind !== 'rate_limited' || outcome.limit.scope === 'parent')
    return { learned, learnedFrom: source };
  const { untilMs, scope } = outcome.limit;
  const block = untilMs === undefined ? GROWING[scope] : { ms: untilMs - nowMs };
  return { learned, learnedFrom: source ?? 'limit_answer', block };
}

/** Whether the credentials are of a kind that needs an access token and has none yet. */
function needsToken(credentials: StoredCredentials): boolean {
  return (
    credentials.type !== 'api_key' &&
    credentials.type !== 'personal_access_token' &&
    !credentials.access_token
  );
}

function isRefusedToken(
  result: CallResult,
  descriptor: ProviderDescriptor,
  request: ProviderRequest,
): result is AnsweredCall {
  return (
    result.kind === 'answered' &&
    result.status === 401 &&
    descriptor.classify(result, request).kind === 'needs_reauth'
  );
}

function statusOf(result: AnsweredCall) {
  return { status: result.status, body: result.body };
}

/** A refresh that failed for now costs the job nothing; a dead grant parks the account. */
function refusal(refreshed: { kind: 'dead' | 'retryable'; message: string }, nowMs: number): CallResult {
  if (refreshed.kind === 'dead') return { kind: 'needs_reauth', message: refreshed.message };
  return { kind: 'deferred', untilMs: nowMs + 5_000, reason: 'retry_backoff' };
}
