/** Loads one URL from a process of its own, so that the load's work is not counted as the server's. */
import autocannon from 'autocannon';

export type LoadOptions = { url: string; seconds: number; body: string; headers: Record<string, string> };
export type LoadResult = { accepted: number; refused: number; durationMs: number };

const CONNECTIONS = 64;

process.once('message', async (options: LoadOptions) => {
  const startedMs = performance.now();
  const result = await autocannon({
    url: options.url,
    connections: CONNECTIONS,
    duration: options.seconds,
    method: 'POST',
    body: options.body,
    headers: { 'content-type': 'application/json', ...options.headers },
  });
  const answer: LoadResult = {
    accepted: result['2xx'],
    refused: result.non2xx + result.errors,
    durationMs: performance.now() - startedMs,
  };
  process.send?.(answer, () => process.exit(0));
});
