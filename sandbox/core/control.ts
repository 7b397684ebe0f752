import express, { type Response, type Router } from 'express';
import { z } from 'zod';
import type { CallLog } from './calls.ts';
import type { Mounted } from './exchange.ts';
import { type Faults, faultKinds } from './faults.ts';
import type { ProviderName } from './provider.ts';

const provider = z.enum(['salesforce', 'close', 'capsule']);

const FaultBody = z.strictObject({
  provider,
  kind: z.enum(faultKinds),
  match: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().refine(isUsablePath, 'is not a valid regular expression').optional(),
      body: z.string().optional(),
      authorization: z.string().optional(),
    })
    .optional(),
  times: z.union([z.int().min(1), z.literal(-1)]).optional(),
  skip: z.int().min(0).optional(),
  probability: z.number().min(0).max(1).optional(),
  seed: z.int().min(0).optional(),
  after_commit: z.boolean().optional(),
  status: z.int().min(200).max(599).optional(),
  body: z.unknown().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  delay_ms: z.number().min(0).max(86_400_000).optional(),
  reset_after_ms: z.number().min(0).max(86_400_000).optional(),
  retry_after_s: z.number().min(0).optional(),
  row_rate: z.number().min(0).max(1).optional(),
});

const LimitsBody = z.looseObject({
  provider,
  requests: z.int().min(0).optional(),
  perMs: z.number().positive().optional(),
  per_ms: z.number().positive().optional(),
  per_seconds: z.number().positive().optional(),
  window: z.enum(['sliding', 'fixed']).optional(),
  concurrency: z.int().min(0).optional(),
  latency_ms: z.number().min(0).optional(),
  latency_jitter_ms: z.number().min(0).optional(),
});

const ResetBody = z.strictObject({ provider: provider.optional() });
const Count = z.coerce.number().int().min(0);
const FaultsQuery = z.strictObject({ provider: provider.optional(), id: z.string().optional() });
const RecordsQuery = z.strictObject({
  provider,
  count_only: z.stringbool().optional(),
  offset: Count.default(0),
  limit: Count.default(Number.MAX_SAFE_INTEGER),
});
const CallsQuery = z.strictObject({
  provider: provider.optional(),
  summary: z.stringbool().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  since: Count.optional(),
  limit: Count.default(Number.MAX_SAFE_INTEGER),
});

export type ControlDeps = { mounted: Map<ProviderName, Mounted>; faults: Faults; calls: CallLog };

/** The routes under `/_control`, by which tests and benchmarks steer the sandbox. */
export function createControl(deps: ControlDeps): Router {
  const { mounted, faults, calls } = deps;
  const router = express.Router();
  router.use(express.json({ limit: '1mb' }));

  router.get('/health', (_req, res) => void res.json({ status: 'ok', providers: [...mounted.keys()] }));

  router.post('/faults', (req, res) => {
    const body = parse(FaultBody, req.body, res);
    if (body) res.status(201).json(faults.add(body));
  });
  router.get('/faults', (_req, res) => void res.json({ faults: faults.list() }));
  router.delete('/faults', (req, res) => {
    const query = parse(FaultsQuery, req.query, res);
    if (query) res.json({ removed: faults.remove(query) });
  });

  router.post('/limits', (req, res) => {
    const body = parse(LimitsBody, req.body, res);
    const target = body && findMounted(body.provider, mounted, res);
    if (!body || !target) return;
    const { provider: _, requests, perMs, per_ms, per_seconds, window, concurrency, ...rest } = body;
    const { latency_ms, latency_jitter_ms, ...own } = rest;
    try {
      if (Object.keys(own).length > 0) target.provider.configure(own);
    } catch (error) {
      res.status(400).json({ error: error instanceof Error ? error.message : String(error) });
      return;
    }
    target.limiter.set({
      requests,
      perMs: perMs ?? per_ms ?? (per_seconds === undefined ? undefined : per_seconds * 1000),
      window,
      concurrency,
      latencyMs: latency_ms,
      latencyJitterMs: latency_jitter_ms,
    });
    res.json({ provider: body.provider, ...target.limiter.limits() });
  });

  router.get('/records', (req, res) => {
    const query = parse(RecordsQuery, req.query, res);
    const target = query && findMounted(query.provider, mounted, res);
    if (!query || !target) return;
    const { provider } = target;
    if (query.count_only && provider.countRecords !== undefined) {
      res.json({ provider: query.provider, count: provider.countRecords() });
      return;
    }
    const records = provider.records();
    const head = { provider: query.provider, count: records.length };
    if (query.count_only) res.json(head);
    else res.json({ ...head, records: records.slice(query.offset, query.offset + query.limit) });
  });

  router.get('/calls', (req, res) => {
    const query = parse(CallsQuery, req.query, res);
    if (!query) return;
    if (query.summary) res.json(calls.summary(query.provider));
    else res.json({ calls: calls.list(query) });
  });

  router.post('/reset', (req, res) => {
    const body = parse(ResetBody, req.body ?? {}, res);
    if (!body) return;
    for (const [name, target] of mounted) {
      if (body.provider !== undefined && body.provider !== name) continue;
      target.pending.clear();
      target.limiter.reset();
      target.provider.reset();
    }
    faults.remove({ provider: body.provider });
    calls.reset(body.provider);
    res.json({ reset: body.provider ?? 'all' });
  });

  router.use(
    (req, res) => void res.status(404).json({ error: `no control route ${req.method} ${req.path}` }),
  );
  return router;
}

/** The parsed input, or undefined after a 400 that names each bad field. */
function parse<Schema extends z.ZodType>(schema: Schema, input: unknown, res: Response) {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    field: issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : issue.path.join('.'),
    message: issue.message,
  }));
  res.status(400).json({
    error: errors.map(({ field, message }) => `${field || 'body'}: ${message}`).join('; '),
    errors,
  });
  return undefined;
}

function findMounted(name: ProviderName, mounted: Map<ProviderName, Mounted>, res: Response) {
  const target = mounted.get(name);
  if (!target) res.status(404).json({ error: `provider: ${name} does not run in this sandbox` });
  return target;
}

function isUsablePath(path: string): boolean {
  if (!(path.length > 2 && path.startsWith('/') && path.endsWith('/'))) return true;
  try {
    new RegExp(path.slice(1, -1));
    return true;
  } catch {
    return false;
  }
}
