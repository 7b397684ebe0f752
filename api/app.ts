import express, { type Express } from 'express';
import type { Logger } from '../shared/logger.ts';
import type { HttpMetrics } from '../shared/metrics.ts';
import { handleError, methodNotAllowed, routeNotFound } from './middleware/handle-error.ts';
import { requestContext } from './middleware/request-context.ts';
import type { AdminQueues } from './routes/admin-queues.ts';
import { serveConsole } from './routes/console.ts';
import { serveDocs } from './routes/docs.ts';
import { type HealthDeps, serveHealth } from './routes/health.ts';
import { serveJobs } from './routes/jobs.ts';
import type { JobsDeps } from './routes/jobs-deps.ts';
import { type OpportunitiesDeps, serveOpportunities } from './routes/opportunities.ts';
import { createServe, type Guard, type Serve } from './serve-operation.ts';

export type AppDeps = {
  logger: Logger;
  httpMetrics: HttpMetrics;
  guard: Guard;
  opportunities: OpportunitiesDeps;
  jobs: JobsDeps;
  health: HealthDeps;
  /** Further groups of operations. */
  more: readonly ((serve: Serve) => void)[];
  adminQueues: Pick<AdminQueues, 'mount'>;
};

/** The HTTP side, whole: what a request meets, in this order. No effects besides the app it returns. */
export function createApp(deps: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Queries are parsed by parse-query.ts, in Truto's syntax; Express's parser would run on every request for nothing.
  app.set('query parser', false);
  app.set('case sensitive routing', true);

  app.use(requestContext(deps.logger, deps.httpMetrics));

  const { serve, served } = createServe(app, deps.guard);
  serveOpportunities(serve, deps.opportunities);
  serveJobs(serve, deps.jobs);
  for (const serveGroup of deps.more) serveGroup(serve);
  serveHealth(serve, deps.health);
  serveDocs(app);
  serveConsole(app);
  deps.adminQueues.mount(app, deps.guard);

  for (const [path, methods] of served) app.all(path, methodNotAllowed(methods));
  app.use(routeNotFound);
  app.use(handleError(deps.logger));
  return app;
}
