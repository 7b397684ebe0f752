import { startSandbox } from './core/start.ts';

const port = Number(process.env.SANDBOX_PORT ?? 3900);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('SANDBOX_PORT must be a port number (0 to 65535)');
  process.exit(1);
}

const host = process.env.HOST ?? '127.0.0.1';
const sandbox = await startSandbox({
  port,
  host,
  // Its records are gone with it, their ids are not: who remembers one must not meet it again as another record's.
  firstNumber: Date.now(),
}).catch((err: NodeJS.ErrnoException) => {
  if (err.code !== 'EADDRINUSE') throw err;
  console.error(`Port ${port} on ${host} is taken by another program; set SANDBOX_PORT to a free one.`);
  process.exit(1);
});
console.log(`provider sandbox listens on ${sandbox.origin}`);

let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    void sandbox.close().then(() => process.exit(0));
  });
}
