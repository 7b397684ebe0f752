import type { Router } from 'express';

export type ProviderName = 'salesforce' | 'close' | 'capsule';

/** What the core gives a provider. */
export type SandboxEnv = {
  nowMs: () => number;
  /** Absolute origin of the sandbox, e.g. http://127.0.0.1:3900 (known after listen). */
  origin: () => string;
  /** Number of the latest call that has begun; `received(req).callNumber` is a call's own. */
  lastCallNumber: () => number;
  /** Numbers for new records. A CRM gives no id twice, whatever was deleted: it goes on over a reset. */
  nextNumber: () => number;
};

/** The state of one credential's window at the moment of a call. */
export type WindowState = { limit: number; remaining: number; resetAtMs: number; used: number };

export type LimitHint = {
  retryAfterS?: number;
  resetAtMs: number;
  limit: number;
  remaining: number;
  /** Which limit was hit; a provider may word its answer accordingly. */
  reason?: 'window' | 'concurrency' | 'fault';
};

/** An answer the core sends on a provider's behalf. A string body is sent as it is, anything else as JSON. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown };

/** What a provider gives the core. */
export type SandboxProvider = {
  name: ProviderName;
  /**
   * Mounted at /<name>. Before it the core has read the body (`received(req)` has the bytes, `req.body` the
   * parsed JSON or form where the content type says so), logged the call, applied faults and counted the
   * call in the limit window.
   */
  router: Router;
  /** Back to the seed data and the default switches. */
  reset(): void;
  /** Everything created as opportunity, in the provider's own shape, in creation order. */
  records(): unknown[];
  /** How many `records()` would give, where that is cheaper than giving them. */
  countRecords?(): number;
  /**
   * Provider-specific switches from `POST /_control/limits {provider, ...}`. The generic ones
   * (requests, perMs, concurrency, latency_ms) never get here. Throw an Error to refuse with 400.
   */
  configure(options: Record<string, unknown>): void;
  /** Makes every current access token invalid (fault expire_token). */
  expireTokens(): void;
  /** The provider's own answer when a limit is hit; `retryAfterS` may be honoured the provider's way. */
  limitAnswer(req: { path: string; method: string }, hint: LimitHint): Answer;
  /** The provider's own body for a bare HTTP status (fault status). */
  statusAnswer(status: number, req: { path: string; method: string }): Answer;
  /** The provider's own answer for a row lock (fault lock_row). */
  lockAnswer?(): Answer;
  /** Headers every success carries, given the window's state. Set before the router runs. */
  successHeaders(state: WindowState): Record<string, string>;
  /** Further path prefixes at the root that lead here, e.g. `/services/`; the router sees them unchanged. */
  rootPaths?: string[];
  /** False for paths outside of limits and limit headers. Absent: every path is metered. */
  isMetered?(req: { path: string; method: string }): boolean;
};

export type ProviderFactory = (env: SandboxEnv) => SandboxProvider;
