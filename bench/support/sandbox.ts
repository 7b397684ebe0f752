import { type Measured, startBenchSandbox } from './processes.ts';

/** One call as the sandbox's log tells it. */
export type SandboxCall = {
  number: number;
  method: string;
  /** Scheme and the last four characters. */
  authorization: string;
  startedAtMs: number;
  status?: number;
  /** While it is among the latest 2,000. */
  body?: string;
};

export type BenchSandbox = Measured & {
  control<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** Calls in the order of their arrival. */
  calls(filter: CallsFilter): Promise<SandboxCall[]>;
  /** Number of the latest call. */
  lastNumber(provider: CallsFilter['provider']): Promise<number>;
};

export type CallsFilter = {
  provider: 'salesforce' | 'close' | 'capsule';
  method?: string;
  /** Part of it. */
  path?: string;
  /** Only later ones than this number. */
  since?: number;
  /** Only the latest so many. */
  limit?: number;
};

/** The provider of a benchmark, in a process of its own, with its control routes. */
export async function startSandboxWithControl(): Promise<BenchSandbox> {
  const sandbox = await startBenchSandbox();

  async function control<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${sandbox.origin}/_control${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} /_control${path}: ${answer.status} ${text}`);
    // Each caller names the shape of the control route it asks.
    return JSON.parse(text) as T;
  }

  async function calls({ provider, method, path, since, limit }: CallsFilter): Promise<SandboxCall[]> {
    const query = new URLSearchParams({ provider });
    for (const [name, value] of Object.entries({ method, path, since, limit }))
      if (value !== undefined) query.set(name, String(value));
    return (await control<{ calls: SandboxCall[] }>('GET', `/calls?${query}`)).calls;
  }

  return {
    ...sandbox,
    control,
    calls,
    lastNumber: async (provider) => (await calls({ provider, limit: 1 })).at(-1)?.number ?? 0,
  };
}

/** Calls by who made them, each in the order of arrival. */
export function byCredential(calls: readonly SandboxCall[]): Map<string, SandboxCall[]> {
  const found = new Map<string, SandboxCall[]>();
  for (const call of calls) {
    const own = found.get(call.authorization);
    if (own) own.push(call);
    else found.set(call.authorization, [call]);
  }
  return found;
}
