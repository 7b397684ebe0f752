import { createServer } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { refuseMalformed } from '../../api/refuse-malformed.ts';
import { until } from '../support/until.ts';

it('ends the connection, also of whoever keeps his side open', async () => {
  const server = createServer(() => {});
  server.on('clientError', (err, socket) => refuseMalformed(err, socket, new Set()));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: 5 }, () =>
    createConnection({ port, host: '127.0.0.1', allowHalfOpen: true }),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const answers = sockets.map((socket) => buffer(socket));
  for (const socket of sockets) socket.write('no HTTP\r\n\r\n');
  for (const answer of await Promise.all(answers)) expect(answer.toString()).toContain('400 Bad Request');
  const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  await until('no connection is left', async () => (await open()) === 0, { withinMs: 5_000 });
});
