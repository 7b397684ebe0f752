import type { IncomingHttpHeaders } from 'node:http';
import { type Verdict, verifyTruto, verifyWebhook } from './verify.ts';

/** How an inbox answers instead of 200. The first rule that applies is taken. */
export type Rule = {
  kind: 'status' | 'hang' | 'reset' | 'redirect';
  status?: number;
  retry_after?: string;
  location?: string;
  body?: string;
  /** Requests it applies to; absent: all. */
  times?: number;
  /** 0 to 1; absent: always. */
  probability?: number;
};

export type InboxSettings = {
  /** Absent: whatever comes is taken. */
  secrets?: string[];
  truto_secret?: string;
  rules?: Rule[];
  /** Makes chance repeatable. */
  seed?: number;
};

export type Received = {
  at_ms: number;
  id: string | undefined;
  timestamp: number;
  type: string | undefined;
  sequence: number | undefined;
  subject: string | undefined;
  verified: boolean;
  reason: string | undefined;
  truto_verified: boolean | undefined;
  /** Status it was answered with; `hang` or `reset` when it was not. */
  answered: number | 'hang' | 'reset';
  headers: IncomingHttpHeaders;
  body: string;
};

export type Inbox = ReturnType<typeof createInbox>;

/** What one receiver got, and how it behaves. */
export function createInbox(nowMs: () => number) {
  let settings: InboxSettings = {};
  let random = createRandom(1);
  const received: Received[] = [];

  function nextRule(): Rule | undefined {
    const rule = settings.rules?.find(
      ({ times, probability }) => (times ?? 1) > 0 && (probability === undefined || random() < probability),
    );
    if (rule?.times !== undefined) rule.times -= 1;
    return rule;
  }

  return {
    received,

    change(next: InboxSettings): void {
      settings = { ...settings, ...next };
      if (next.seed !== undefined) random = createRandom(next.seed);
    },

    clear(): void {
      received.length = 0;
    },

    /** Takes a request and says how to answer it. A signature that does not fit is answered 401, before any rule. */
    take(headers: IncomingHttpHeaders, body: Buffer): Rule {
      const header = (name: string) => {
        const value = headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      const verdict: Verdict = settings.secrets
        ? verifyWebhook(header, body, settings.secrets, nowMs())
        : { ok: true };
      const truto = settings.truto_secret ? verifyTruto(header, body, settings.truto_secret) : undefined;
      const isGood = verdict.ok && truto?.ok !== false;
      const rule: Rule = isGood
        ? (nextRule() ?? { kind: 'status', status: 200 })
        : { kind: 'status', status: 401 };
      const payload = parse(body);
      received.push({
        at_ms: nowMs(),
        id: header('webhook-id'),
        timestamp: Number(header('webhook-timestamp')),
        type: payload.type,
        sequence: payload.sequence,
        subject: payload.data?.id,
        verified: settings.secrets !== undefined && verdict.ok,
        reason: verdict.ok ? undefined : verdict.reason,
        truto_verified: truto?.ok,
        answered: rule.kind === 'hang' || rule.kind === 'reset' ? rule.kind : statusOf(rule),
        headers,
        body: body.toString('utf8'),
      });
      return rule;
    },
  };
}

export function statusOf(rule: Rule): number {
  return rule.status ?? (rule.kind === 'redirect' ? 302 : 200);
}

type Payload = { type?: string; sequence?: number; data?: { id?: string } };

function parse(body: Buffer): Payload {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Mulberry32: small, and the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
