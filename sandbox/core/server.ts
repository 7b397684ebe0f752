import { createServer } from 'node:http';
import { createSandbox } from './app.ts';
import type { ProviderFactory } from './provider.ts';

export type ServeOptions = {
  port: number;
  host: string;
  providers: ProviderFactory[];
  nowMs?: () => number;
  /** See {@link createSandbox}; 0 gives the same ids in every run. */
  firstNumber?: number;
};

export type RunningSandbox = { origin: string; port: number; close(): Promise<void> };

/** Serves the given providers; port 0 takes a free one. */
export async function serveSandbox({
  port,
  host,
  providers,
  nowMs,
  firstNumber = 0,
}: ServeOptions): Promise<RunningSandbox> {
  const sandbox = createSandbox({ nowMs: nowMs ?? Date.now, providers, firstNumber });
  // Hanging is the sandbox's business (faults), so that Node's own request timeouts stay out of the way.
  const server = createServer(
    { keepAliveTimeout: 60_000, requestTimeout: 0, maxHeaderSize: 65_536 },
    sandbox.listener,
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const boundPort = address !== null && typeof address === 'object' ? address.port : port;
  const reachableHost = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const origin = `http://${reachableHost.includes(':') ? `[${reachableHost}]` : reachableHost}:${boundPort}`;
  sandbox.setOrigin(origin);
  return {
    origin,
    port: boundPort,
    close: () =>
      new Promise((resolve) => {
        sandbox.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
