import type { FaultKind } from './faults.ts';
import type { ProviderName } from './provider.ts';
import type { Received } from './received.ts';
import { maskCredential, redactBody } from './redact.ts';

/** One call as kept: a light entry, the body only while it is among the latest. */
export type CallEntry = {
  number: number;
  provider: ProviderName;
  method: string;
  url: string;
  authorization: string;
  startedAtMs: number;
  endedAtMs: number | undefined;
  /** 0: the connection ended without an answer. */
  status: number | undefined;
  fault: FaultKind | undefined;
};

export type CallView = Omit<CallEntry, 'url'> & {
  path: string;
  query: string;
  body?: string;
};

export type CallSummary = {
  total: number;
  in_flight: number;
  by_call: Record<string, number>;
  by_status: Record<string, number>;
  by_fault: Record<string, number>;
};

export type CallLog = {
  /** Number of the latest call that has begun. */
  lastNumber(): number;
  start(entry: Omit<CallEntry, 'number' | 'endedAtMs' | 'status' | 'fault'>): CallEntry;
  end(entry: CallEntry, status: number, nowMs: number): void;
  keepBody(entry: CallEntry, body: Received): void;
  list(filter: CallFilter): CallView[];
  /** Exact counts since the last reset, also of entries that have left the ring. */
  summary(provider?: string): CallSummary;
  reset(provider?: string): void;
};

export type CallFilter = { provider?: string; method?: string; path?: string; limit: number; since?: number };

const entriesMax = 500_000;
const bodiesMax = 2_000;
const bodyCharsMax = 16_384;

export function createCallLog(): CallLog {
  let ring: CallEntry[] = [];
  let next = 0;
  let lastNumber = 0;
  /** Calls that were in flight at a reset end uncounted. */
  const countedFrom = new Map<string, number>();
  const bodies = new Map<CallEntry, Received>();
  const summaries = new Map<string, CallSummary>();
  const summaryOf = (provider: string): CallSummary => {
    const known = summaries.get(provider);
    if (known !== undefined) return known;
    const summary = emptySummary();
    summaries.set(provider, summary);
    return summary;
  };
  const inOrder = (): CallEntry[] =>
    ring.length < entriesMax ? ring : [...ring.slice(next), ...ring.slice(0, next)];
  return {
    lastNumber: () => lastNumber,
    start(fields) {
      lastNumber += 1;
      const entry: CallEntry = {
        number: lastNumber,
        ...fields,
        endedAtMs: undefined,
        status: undefined,
        fault: undefined,
      };
      if (ring.length < entriesMax) ring.push(entry);
      else ring[next] = entry;
      next = (next + 1) % entriesMax;
      summaryOf(entry.provider).in_flight += 1;
      return entry;
    },
    end(entry, status, nowMs) {
      if (entry.endedAtMs !== undefined) return;
      entry.endedAtMs = nowMs;
      entry.status = status;
      if (entry.number > (countedFrom.get(entry.provider) ?? 0)) count(summaryOf(entry.provider), entry);
    },
    keepBody(entry, body) {
      bodies.set(entry, body);
      if (bodies.size <= bodiesMax) return;
      const oldest = bodies.keys().next();
      if (!oldest.done) bodies.delete(oldest.value);
    },
    list(filter) {
      const found: CallView[] = [];
      const entries = inOrder();
      for (let index = entries.length - 1; index >= 0 && found.length < filter.limit; index -= 1) {
        const entry = entries[index];
        if (entry !== undefined && isWanted(entry, filter)) found.push(view(entry, bodies.get(entry)));
      }
      return found.reverse();
    },
    summary(provider) {
      if (provider !== undefined) return summaryOf(provider);
      const total = emptySummary();
      for (const summary of summaries.values()) addUp(total, summary);
      return total;
    },
    reset(provider) {
      ring = provider === undefined ? [] : inOrder().filter((entry) => entry.provider !== provider);
      next = ring.length % entriesMax;
      for (const name of provider === undefined ? [...summaries.keys()] : [provider]) {
        summaries.set(name, emptySummary());
        countedFrom.set(name, lastNumber);
      }
    },
  };
}

function emptySummary(): CallSummary {
  return { total: 0, in_flight: 0, by_call: {}, by_status: {}, by_fault: {} };
}

function isWanted(entry: CallEntry, filter: CallFilter): boolean {
  return (
    (filter.provider === undefined || entry.provider === filter.provider) &&
    (filter.method === undefined || entry.method === filter.method) &&
    (filter.path === undefined || entry.url.includes(filter.path)) &&
    (filter.since === undefined || entry.number > filter.since)
  );
}

function view(entry: CallEntry, body: Received | undefined): CallView {
  const { url, authorization, ...rest } = entry;
  const mark = url.indexOf('?');
  return {
    ...rest,
    authorization: maskCredential(authorization),
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    body: body && redactBody(body.raw, body.mediaType, bodyCharsMax),
  };
}

function count(summary: CallSummary, entry: CallEntry): void {
  summary.in_flight -= 1;
  summary.total += 1;
  increase(summary.by_call, `${entry.method} ${pathPattern(entry.url)}`);
  increase(summary.by_status, String(entry.status));
  if (entry.fault !== undefined) increase(summary.by_fault, entry.fault);
}

// Paths are made by clients: past this many different ones the rest is counted together.
const patternsMax = 1_000;

function increase(counts: Record<string, number>, key: string): void {
  const known = counts[key];
  if (known !== undefined) counts[key] = known + 1;
  else if (Object.keys(counts).length < patternsMax) counts[key] = 1;
  else counts.other = (counts.other ?? 0) + 1;
}

function addUp(total: CallSummary, part: CallSummary): void {
  total.total += part.total;
  total.in_flight += part.in_flight;
  for (const name of ['by_call', 'by_status', 'by_fault'] as const) {
    for (const [key, value] of Object.entries(part[name])) total[name][key] = (total[name][key] ?? 0) + value;
  }
}

// A segment that is all digits, or has a digit and is 12 or longer, or follows an external-id field.
const idSegment = /\/(?:\d+(?=[/.]|$)|(?=[^/]*\d)[\w.%-]{12,}(?=\/|$))|(?<=__c)\/[^/]+/g;

/** The path with ids replaced by `{id}`, so that calls to different records are counted together. */
export function pathPattern(url: string): string {
  const mark = url.indexOf('?');
  return (mark === -1 ? url : url.slice(0, mark)).replace(idSegment, '/{id}');
}
