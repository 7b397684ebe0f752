import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallLog } from './calls.ts';
import { type Exchange, type Mounted, sendAnswer } from './exchange.ts';
import { applyFault } from './faulting.ts';
import type { Faults } from './faults.ts';
import { readBody, received } from './received.ts';

export type PipelineDeps = {
  nowMs: () => number;
  calls: CallLog;
  faults: Faults;
  /** Routes to the providers' routers. */
  dispatch: (req: IncomingMessage, res: ServerResponse) => void;
};

/** What happens to a provider call before its router: log, body, faults, limits, latency. */
export function createPipeline(deps: PipelineDeps) {
  const { calls, faults, nowMs } = deps;

  /** Limits, latency, then the router. `wrap` runs just before the router, to catch its answer. */
  function handle(exchange: Exchange, wrap?: () => void): void {
    const { res, mounted, credential, path, method } = exchange;
    const { provider, limiter, pending } = mounted;
    if (provider.isMetered?.({ path, method }) !== false) {
      const admission = limiter.admit(credential, nowMs());
      if (!admission.admitted) {
        sendAnswer(res, provider.limitAnswer({ path, method }, admission.hint));
        return;
      }
      releaseOnce(exchange);
      for (const [name, value] of Object.entries(provider.successHeaders(admission.state))) {
        res.setHeader(name, value);
      }
    }
    const run = (): void => {
      wrap?.();
      deps.dispatch(exchange.req, res);
    };
    const { latencyMs, latencyJitterMs } = limiter.limits();
    if (latencyMs + latencyJitterMs > 0) pending.after(latencyMs + Math.random() * latencyJitterMs, run);
    else run();
  }

  /** `url` is the request's path and query without the provider's prefix. */
  return function receive(req: IncomingMessage, res: ServerResponse, mounted: Mounted, url: string): void {
    const { name } = mounted.provider;
    const method = req.method ?? 'GET';
    const credential = req.headers.authorization ?? '';
    const entry = calls.start({
      provider: name,
      method,
      url,
      authorization: credential,
      startedAtMs: nowMs(),
    });
    res.once('close', () => calls.end(entry, res.writableFinished ? res.statusCode : 0, nowMs()));
    readBody(req, entry.number, (complete) => {
      if (!complete) {
        req.socket.destroy();
        return;
      }
      const body = received(req);
      if (body.raw.length > 0) calls.keepBody(entry, body);
      const mark = url.indexOf('?');
      const path = mark === -1 ? url : url.slice(0, mark);
      const fault = faults.take(name, {
        method,
        path: `/${name}${path}`,
        authorization: credential,
        body: () => body.raw.toString('utf8'),
      });
      const exchange: Exchange = { req, res, mounted, path, method, credential, entry };
      if (fault === undefined) {
        handle(exchange);
        return;
      }
      entry.fault = fault.kind;
      applyFault(exchange, fault, { handle: (wrap) => handle(exchange, wrap), nowMs });
    });
  };
}

function releaseOnce({ res, mounted, credential }: Exchange): void {
  // Without a concurrency limit nobody asks, and a listener per call would be wasted.
  if (mounted.limiter.limits().concurrency === 0 || res.closed) mounted.limiter.release(credential);
  else res.once('close', () => mounted.limiter.release(credential));
}
