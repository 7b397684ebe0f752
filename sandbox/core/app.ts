import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { createReceiver } from '../receiver/receiver.ts';
import { createCallLog } from './calls.ts';
import { createControl } from './control.ts';
import { type Mounted, sendAnswer } from './exchange.ts';
import { createFaults } from './faults.ts';
import { createLimiter } from './limiter.ts';
import { createPending } from './pending.ts';
import { createPipeline } from './pipeline.ts';
import type { ProviderFactory, ProviderName } from './provider.ts';

export type SandboxOptions = {
  nowMs: () => number;
  providers: ProviderFactory[];
  /** Where the numbers of new records begin. */
  firstNumber: number;
};

export type Sandbox = {
  /** For `http.createServer`. */
  listener: (req: IncomingMessage, res: ServerResponse) => void;
  /** Tells the providers where they are reached; call it once the server listens. */
  setOrigin(origin: string): void;
  /** Forgets delayed work and drops hanging connections. */
  close(): void;
};

/**
 * The three CRMs and a receiver of webhooks behind one listener: `/<provider>/…`, `/receiver/…` and `/_control/…`. Plain HTTP in front, Express only
 * for the routers, because the way to a router must cost little at thousands of calls per second.
 */
export function createSandbox({ nowMs, providers, firstNumber }: SandboxOptions): Sandbox {
  let origin = '';
  const calls = createCallLog();
  const mounted = new Map<ProviderName, Mounted>();
  const app = createExpress();
  for (const create of providers) {
    let number = firstNumber;
    const provider = create({
      nowMs,
      origin: () => origin,
      lastCallNumber: calls.lastNumber,
      nextNumber: () => number++,
    });
    mounted.set(provider.name, { provider, limiter: createLimiter(), pending: createPending() });
    app.use(`/${provider.name}`, provider.router);
  }
  app.use(answerUnknown);
  app.use(answerCrash);

  const faults = createFaults();
  const receive = createPipeline({ nowMs, faults, calls, dispatch: app });
  const control = createExpress();
  control.use('/_control', createControl({ mounted, faults, calls }));
  control.use(answerUnknown);
  control.use(answerCrash);
  const receiver = createReceiver(nowMs);
  const byPrefix = [...mounted].map(([name, target]) => ({ prefix: `/${name}/`, target }));
  const byRootPath = [...mounted.values()].flatMap((target) =>
    (target.provider.rootPaths ?? []).map((prefix) => ({ prefix, target })),
  );

  return {
    listener(req, res) {
      const url = req.url ?? '/';
      for (const { prefix, target } of byPrefix) {
        if (!url.startsWith(prefix)) continue;
        receive(req, res, target, url.slice(prefix.length - 1));
        return;
      }
      for (const { prefix, target } of byRootPath) {
        if (!url.startsWith(prefix)) continue;
        req.url = `/${target.provider.name}${url}`;
        receive(req, res, target, url);
        return;
      }
      if (receiver.handle(req, res)) return;
      if (url.startsWith('/_control/')) control(req, res);
      else sendAnswer(res, { status: 404, body: { error: 'nothing here; see /_control/health' } });
    },
    setOrigin(value) {
      origin = value;
    },
    close() {
      for (const { pending } of mounted.values()) pending.clear();
    },
  };
}

function createExpress() {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}

function answerUnknown(req: Request, res: Response): void {
  res.status(404).json({ error: `the sandbox has no ${req.method} ${req.path}` });
}

/** A crash of the sandbox must not look like one of the CRM's own errors. */
function answerCrash(error: unknown, _req: Request, res: Response, _next: NextFunction): void {
  const status = hasStatus(error) ? error.status : 500;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (res.headersSent) res.destroy();
  else res.status(status).json({ error: 'sandbox', message });
}

function hasStatus(error: unknown): error is { status: number } {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number';
}
