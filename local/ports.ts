import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below what Linux (from 32768), macOS and Windows (from 49152) give to outgoing connections. */
const RANGE = { from: 10_000, below: 30_000 };
const TRIES = 100;

/**
 * A port that was free a moment ago. As systems come, they give it to nobody by themselves: of those that `listen(0)` returns, any outgoing
 * connection may take one before it is listened on again.
 * @throws Error when it finds none.
 */
export async function findFreePort(): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(RANGE.from, RANGE.below);
    if ((await whyNot(port, '127.0.0.1')) === undefined) return port;
  }
  throw new Error(`no free port was found from ${RANGE.from} to ${RANGE.below - 1}`);
}

/** The code of the error when a port cannot be listened on, undefined when it can. */
async function whyNot(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => server.once('error', fail).listen(port, host, done));
  } catch (err) {
    return err instanceof Error && 'code' in err ? String(err.code) : String(err);
  }
  await new Promise((done) => server.close(done));
  return undefined;
}

/**
 * The port to use for what `variable` configures; 0 takes a free one.
 * @throws Error naming the variable when the port cannot be listened on.
 */
export async function claimPort(variable: string, port: number, host: string): Promise<number> {
  if (port === 0) return findFreePort();
  const code = await whyNot(port, host);
  if (code === undefined) return port;
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
