import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '../../shared/logger.ts';
import type { HttpMetrics } from '../../shared/metrics.ts';

/** What a caller may name its request: short, and harmless in any log. */
const SANE_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/** Above this a request is worth a line even when it went well and did not ask to wait. */
const SLOW_MS = 5_000;

/** Gives every request its id, and measures and logs its end. Nothing of the request is logged that is not named here. */
export function requestContext(logger: Logger, metrics: HttpMetrics): RequestHandler {
  return (req, res, next) => {
    const startedMs = performance.now();
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
    res.locals.requestId = requestId;
    res.setHeader('X-Request-Id', requestId);
    res.once('close', () => finish(req, res, performance.now() - startedMs));
    next();
  };

  function finish(req: Request, res: Response, durationMs: number): void {
    const route: unknown = req.route?.path;
    const path = typeof route === 'string' ? route : 'unmatched';
    metrics.finished(req.method, path, res.statusCode, durationMs / 1_000);
    const level =
      res.statusCode >= 500 ? 'warn' : res.statusCode >= 400 || durationMs > SLOW_MS ? 'info' : 'debug';
    if (!logger.isLevelEnabled(level)) return;
    logger[level](
      {
        request_id: res.locals.requestId,
        method: req.method,
        route: path,
        status: res.statusCode,
        duration_ms: Math.round(durationMs * 10) / 10,
        workspace: res.locals.caller?.workspace,
        code: res.locals.errorCode,
        answered: res.writableFinished,
      },
      'request.finished',
    );
  }
}
