import { atMost } from '../at-most.ts';
import type { StoredCredentials } from '../domain/integrated-account.ts';
import type { Account, OpenedCredentials } from '../stores/account-store.ts';
import { availabilityOf } from './availability.ts';
import { clients } from './clients.ts';
import { descriptors } from './descriptors.ts';
import type { Circuit, Farewell, Leaving, Left } from './gate.ts';
import { lessonsOf } from './lessons.ts';
import { type Pace, paceOf } from './pace.ts';
import { type Begin, deferredBy, type PassDeps, passGate } from './pass-gate.ts';
import type { AnsweredCall, Call, CallResult, ProviderDescriptor, ProviderRequest } from './port.ts';
import type { ProviderClock } from './provider-clock.ts';
import { toQuery } from './request-url.ts';
import type { Send } from './send.ts';
import type { TokenRefresher } from './token-refresh.ts';

/**
 * A create waits this long in place for its turn; longer, and it gives its place in the queue back. Enough of them wait for
 * the next slots to be taken even while those given back are fetched again.
 */
const CREATE_WAIT_MS = 2_000;
/** Bulk work waits no longer: what waits in place holds messages under way that a single create could be. */
const BULK_WAIT_MS = 500;
/**
 * All others wait for their turn: several of them make one answer (an account's live values, a look for a lost create), and
 * given back they would begin with the first again, which at a slow pace never comes to the end.
 */
const FOLLOWING_WAIT_MS = 60_000;
const DEFAULT_TIMEOUT_MS = 30_000;
/**
 * Up to this part of its time a call gives up earlier. Where a provider hangs, all calls that began together would end in one
 * moment, and what follows for a hundred of them would keep the process from everybody else.
 */
const TIMEOUT_SPREAD = 0.03;

export type CallOptions = {
  /**
   * Makes the intent durable in the same step in which the gate lets the call pass; see {@link Begin}.
   * @param grant the credentials that the call is made with, see `credentialsVersion` of the account.
   */
  begin?: (gate: Parameters<Begin>[0], grant: number) => ReturnType<Begin>;
  /** See {@link SendRequest.fence}. */
  fence?: () => string | undefined;
  signal?: AbortSignal;
  /** See {@link GateAsk.parentId}. */
  parentId?: string;
  /** See {@link GateAsk.isBulk}. */
  isBulk?: boolean;
  /**
   * Takes over to tell the gate of the end of a call that went well: with what it writes of it, or, where it writes nothing, at once.
   */
  onFarewell?: (farewell: Farewell) => void;
};

export type CredentialsOf = (account: string) => Promise<OpenedCredentials | undefined>;

export type CallerDeps = PassDeps & {
  send: Send;
  credentialsOf: CredentialsOf;
  refresher: TokenRefresher;
  providerClock: ProviderClock;
  /** An account's provider went away (and how), is still away, or came back. Not waited for. */
  onCircuit?: (account: Account, circuit: Circuit, last: CallResult) => void;
  /** Not waited for either. */
  meter?: CallMeter;
};

/** What is counted of calls. */
export type CallMeter = {
  /** A call was sent away by the gate. */
  turnedAway(account: Account, reason: string): void;
  began(account: Account): void;
  ended(account: Account): void;
  /** The provider said that a limit is met, and the account is blocked for so long. */
  limited(account: Account, blockedMs: number): void;
};

export type Caller = (account: Account, options?: CallOptions) => Call;

/** How long a call may take at most. */
export function timeoutOf(account: Account): number {
  return account.settings.timeout_ms ?? DEFAULT_TIMEOUT_MS;
}

/**
 * Paced, authenticated calls to an account's provider: token → place → gate → send → what the answer teaches the gate.
 * A refused token is refreshed once and the request repeated: a 401 is never a write.
 */
export function createCaller(deps: CallerDeps): Caller {
  return (account, options = {}) => {
    const descriptor = descriptors[account.provider];
    const pace = paceOf(descriptor, account.settings);
    // Calls that are made side by side must not turn each other away: as many as the account may have go at once.
    const inTurn = atMost(pace.concurrency);

    const authorized: Call = async (request) => {
      const opened = await deps.credentialsOf(account.id);
      if (!opened) return { kind: 'needs_reauth', message: 'the account has no readable credentials' };
      let { credentials, version, grant } = opened;
      if (needsToken(credentials)) {
        const refreshed = await deps.refresher.refresh(account, version);
        if (refreshed.kind !== 'tokens') return refusal(refreshed, deps.clock.nowMs());
        ({ credentials, version, grant } = refreshed);
      }
      const call = { account, descriptor, pace, request, grant };
      const first = await callOnce(deps, { ...call, credentials, options });
      if (!isRefusedToken(first, descriptor, request)) return first;
      const refreshed = await deps.refresher.refresh(account, version);
      if (refreshed.kind !== 'tokens')
        return { ...refusal(refreshed, deps.clock.nowMs()), ...statusOf(first) };
      if (refreshed.grant !== grant)
        return { kind: 'not_sent', code: 'fenced', message: 'the account has other credentials now' };
      // The repeat belongs to the same attempt: the intent is durable already.
      const again = { ...options, begin: undefined };
      const second = await callOnce(deps, { ...call, credentials: refreshed.credentials, options: again });
      if (!isRefusedToken(second, descriptor, request)) return second;
      return {
        kind: 'needs_reauth',
        message: 'the provider refused a token it had just given',
        ...statusOf(second),
      };
    };
    return (request) => inTurn(() => authorized(request));
  };
}

type OneCall = {
  account: Account;
  descriptor: ProviderDescriptor;
  pace: Pace;
  request: ProviderRequest;
  credentials: StoredCredentials;
  grant: number;
  options: CallOptions;
};

async function callOnce(deps: CallerDeps, call: OneCall): Promise<CallResult> {
  const { account, request } = call;
  const timeoutMs = timeoutOf(account);
  const url = urlOf(call);
  const { begin, parentId, isBulk } = call.options;
  const passed = await passGate(deps, {
    account: account.id,
    pace: call.pace,
    host: new URL(url).host,
    patienceMs: request.purpose !== 'create' ? FOLLOWING_WAIT_MS : isBulk ? BULK_WAIT_MS : CREATE_WAIT_MS,
    timeoutMs,
    parentId,
    isBulk,
    begin: begin && ((gate) => begin(gate, call.grant)),
  });
  if (passed.kind === 'later') {
    deps.meter?.turnedAway(account, passed.reason);
    return deferredBy(deps.clock, passed);
  }
  if (passed.kind === 'refused') return { kind: 'not_sent', code: 'fenced', message: passed.why };
  let leaving: Leaving = {};
  let ended: CallResult | undefined;
  deps.meter?.began(account);
  try {
    ended = await deps.send({
      method: request.method,
      url,
      timeoutMs: Math.round(timeoutMs * (1 - TIMEOUT_SPREAD * Math.random())),
      fence: () => {
        const reason = call.options.fence?.();
        if (reason === undefined) passed.left();
        return reason;
      },
      signal: call.options.signal,
      ...headersAndBody(call),
    });
    if (ended.kind === 'answered') {
      deps.providerClock.learn(account.id, ended.headers.date, ended.receivedAtMs);
      leaving = lessonsOf(call.descriptor, request, ended, deps.clock.nowMs(), call.pace);
    } else {
      leaving = {
        availability: availabilityOf(ended),
        ...(ended.kind === 'not_sent' ? { unsent: true } : {}),
      };
    }
    return ended;
  } finally {
    deps.meter?.ended(account);
    const onLeft = ({ circuit, blockedMs }: Left) => {
      if (circuit && ended) deps.onCircuit?.(account, circuit, ended);
      if (leaving.block) deps.meter?.limited(account, blockedMs);
    };
    const { onFarewell } = call.options;
    if (onFarewell && leaving.succeeded) onFarewell(passed.farewell(leaving, onLeft));
    else passed.leave(leaving).then(onLeft);
  }
}

function urlOf({ descriptor, credentials, account, request }: OneCall): string {
  const query = request.query && Object.keys(request.query).length > 0 ? `?${toQuery(request.query)}` : '';
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
