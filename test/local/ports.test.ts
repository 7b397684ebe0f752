import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { claimPort, findFreePort } from '../../local/ports.ts';

async function listenOn(port: number): Promise<void> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
}

describe('a free port', () => {
  it('can be listened on, and is none that an outgoing connection could take', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => findFreePort()));
    for (const port of new Set(ports)) {
      expect(port).toBeGreaterThanOrEqual(10_000);
      expect(port).toBeLessThan(30_000);
      await listenOn(port);
    }
  });
});

describe('a port that is configured', () => {
  it('is used as it is', async () => {
    const port = await findFreePort();
    expect(await claimPort('PORT', port, '127.0.0.1')).toBe(port);
  });

  it('is refused by name when it is taken', async () => {
    const port = await findFreePort();
    await listenOn(port);
    await expect(claimPort('PORT', port, '127.0.0.1')).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken: choose another one with PORT`,
    );
  });
});
