import { createServer } from 'node:net';

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}

/**
 * The port to use for what `variable` configures; 0 takes a free one.
 * @throws Error naming the variable when the port cannot be listened on.
 */
export async function claimPort(variable: string, port: number, host: string): Promise<number> {
  if (port === 0) return findFreePort();
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done));
  } catch (err) {
    const code = err instanceof Error && 'code' in err ? err.code : undefined;
    const reason =
      code === 'EADDRINUSE'
        ? 'is taken'
        : code === 'EACCES'
          ? 'may not be used by this user'
          : `cannot be used (${code})`;
    throw new Error(
      `Port ${port} on ${host} ${reason}: choose another one with ${variable}, as ${variable}=${port + 1} npm start`,
    );
  }
  await new Promise((done) => server.close(done));
  return port;
}
