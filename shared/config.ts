import { z } from 'zod';
import { choice, count, encryptionKeys, flag, numbers, origins, port, redisUrl } from './config-schemas.ts';
import { ROWS_LIMIT } from './domain/import.ts';
import { StartError } from './start-error.ts';

/**
 * The only reader of the environment. Every variable is listed with unit, default and meaning; `.env.example` is
 * generated from this table and `npm run check` fails when they differ.
 */
export type Variable = {
  name: string;
  schema: z.ZodType;
  /** As text, for `.env.example`; undefined: no default. */
  fallback?: string;
  meaning: string;
};

export const VARIABLES = {
  port: { name: 'PORT', schema: port, fallback: '3000', meaning: 'TCP port of the API.' },
  host: {
    name: 'HOST',
    schema: z.string().min(1),
    fallback: '127.0.0.1',
    meaning: 'Address the API listens on (0.0.0.0 in the image).',
  },
  redisUrl: {
    name: 'REDIS_URL',
    schema: redisUrl.optional(),
    meaning:
      'redis://, rediss://, redis+sentinel://h1:p1,h2:p2/masterName or redis+cluster://h1:p1,h2:p2. Required except for npm start, which then runs its own.',
  },
  redisPrefix: {
    name: 'REDIS_PREFIX',
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,40}$/, {
      error: 'must be 1 to 40 letters, digits, hyphens or underscores',
    }),
    fallback: 'dw',
    meaning: 'First part of every key; one per installation on a shared Redis.',
  },
  dataDir: {
    name: 'DATA_DIR',
    schema: z.string().min(1),
    fallback: '.data',
    meaning: 'npm start: files of the embedded Redis and the generated secrets.',
  },
  sandboxPort: {
    name: 'SANDBOX_PORT',
    schema: port,
    fallback: '3900',
    meaning: 'TCP port of the provider sandbox.',
  },
  adminToken: {
    name: 'ADMIN_TOKEN',
    schema: z
      .string()
      .regex(/^[\x21-\x7e]+$/, { error: 'must be printable ASCII without blanks' })
      .optional(),
    meaning: 'Bearer token that may do everything; make it long and random. Required; npm start makes one.',
  },
  encryptionKeys: {
    name: 'ENCRYPTION_KEYS',
    schema: encryptionKeys.optional(),
    meaning:
      'kid:base64(32 bytes), comma-separated; the first encrypts, all decrypt. Required; npm start makes one.',
  },
  providerUrlAllowlist: {
    name: 'PROVIDER_URL_ALLOWLIST',
    schema: origins.optional(),
    meaning:
      "Origins an account may point at, comma-separated, * for one label or the port. Default: the vendors' hosts.",
  },
  webhookAllowPrivate: {
    name: 'WEBHOOK_ALLOW_PRIVATE',
    schema: flag,
    fallback: 'false',
    meaning: 'true: webhooks may go to loopback and private addresses and plain http (development only).',
  },
  webhookPorts: {
    name: 'WEBHOOK_PORTS',
    schema: numbers(1, 65_535, { whole: true }),
    fallback: '443,8443',
    meaning: 'TCP ports webhooks may go to, comma-separated. WEBHOOK_ALLOW_PRIVATE opens all.',
  },
  webhookTimeoutMs: {
    name: 'WEBHOOK_TIMEOUT_MS',
    schema: count(100, 60_000),
    fallback: '15000',
    meaning: 'Milliseconds a webhook receiver has to answer.',
  },
  webhookRetrySeconds: {
    name: 'WEBHOOK_RETRY_SECONDS',
    schema: numbers(0, 30 * 86_400, { whole: false }),
    fallback: '0,5,300,1800,7200,18000,36000,50400,72000,86400',
    meaning: 'Seconds to wait before each try of a webhook, the first one included, comma-separated.',
  },
  defaultWaitSeconds: {
    name: 'DEFAULT_WAIT_SECONDS',
    schema: count(0, 60),
    fallback: '0',
    meaning:
      'Seconds a create without a Prefer header waits for its result; set it for unchanged Truto clients.',
  },
  jobRetentionDays: {
    name: 'JOB_RETENTION_DAYS',
    schema: count(1, 365),
    fallback: '7',
    meaning: 'Days that finished jobs, their results and idempotency keys are kept.',
  },
  backlogLimit: {
    name: 'ACCOUNT_BACKLOG_LIMIT',
    schema: count(1, 10_000_000),
    fallback: '200000',
    meaning: 'Open jobs per account above which a create is answered 429.',
  },
  importRowsMax: {
    name: 'IMPORT_MAX_ROWS',
    schema: count(1, ROWS_LIMIT),
    fallback: '1000000',
    meaning: 'Rows an import may have.',
  },
  importBytesMax: {
    name: 'IMPORT_MAX_BYTES',
    schema: count(1, 1_099_511_627_776),
    fallback: '1073741824',
    meaning: 'Bytes an import may have, unpacked.',
  },
  importIdleMs: {
    name: 'IMPORT_IDLE_MS',
    schema: count(500, 86_400_000),
    fallback: '60000',
    meaning: 'Milliseconds an upload may stand still before it is given up.',
  },
  workerConcurrency: {
    name: 'WORKER_CONCURRENCY',
    schema: count(1, 10_000),
    fallback: '200',
    meaning: 'Provider calls in flight per worker process.',
  },
  durability: {
    name: 'DURABILITY',
    schema: choice(['strict', 'asserted', 'relaxed']),
    fallback: 'strict',
    meaning:
      'strict: start only on a Redis with AOF, appendfsync always and noeviction. asserted: you vouch for it. relaxed: start anyway and say so in /readyz.',
  },
  durabilityReplicas: {
    name: 'DURABILITY_REPLICAS',
    schema: count(0, 10),
    fallback: '0',
    meaning: 'Replicas that must hold a write before it counts (WAIT); below it the API answers 503.',
  },
  workerHealthPort: {
    name: 'WORKER_HEALTH_PORT',
    schema: port.optional(),
    meaning: "TCP port of the worker's /healthz, /readyz and /metrics. Off when empty.",
  },
  logLevel: {
    name: 'LOG_LEVEL',
    schema: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    fallback: 'info',
    meaning: 'pino level.',
  },
  shutdownMs: {
    name: 'SHUTDOWN_MS',
    schema: count(100, 600_000),
    fallback: '25000',
    meaning:
      'Milliseconds a process may take to stop after SIGTERM; keep it under the grace of your orchestrator.',
  },
  restored: {
    name: 'RESTORED',
    schema: flag,
    fallback: 'false',
    meaning:
      'true: Redis was restored from a backup. Workers started so ask the providers about every open job before they write it. Take it out again for the next start.',
  },
  lockMs: {
    name: 'ENGINE_LOCK_MS',
    schema: count(500, 600_000),
    fallback: '30000',
    meaning: 'Milliseconds after which a silent worker loses its job.',
  },
  stalledMs: {
    name: 'ENGINE_STALLED_MS',
    schema: count(200, 600_000),
    fallback: '15000',
    meaning: 'Milliseconds between looks for jobs of dead workers.',
  },
  sweepMs: {
    name: 'SWEEP_MS',
    schema: count(100, 600_000),
    fallback: '5000',
    meaning: 'Milliseconds between sweeps that heal what a crash left behind.',
  },
  orphanMs: {
    name: 'ORPHAN_MS',
    schema: count(100, 3_600_000),
    fallback: '15000',
    meaning: 'Milliseconds an open job may be without its queue entry before it is queued again.',
  },
} satisfies Record<string, Variable>;

type Parsed<V extends { schema: z.ZodType }> = z.output<V['schema']>;
export type Config = Readonly<{ [K in keyof typeof VARIABLES]: Parsed<(typeof VARIABLES)[K]> }>;

/** Thrown with one message that names every bad variable. */
export class ConfigError extends StartError {
  override name = 'ConfigError';
}

/**
 * Reads the configuration once.
 * @param required variables without which the calling process cannot work.
 * @throws ConfigError naming every bad or missing variable at once.
 */
export function readConfig(env: Record<string, string | undefined>, required: (keyof Config)[] = []): Config {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, variable] of Object.entries(VARIABLES) as [keyof Config, Variable][]) {
    const text = env[variable.name] || variable.fallback;
    if (text === undefined && required.includes(key)) {
      problems.push(`${variable.name} is not set: ${variable.meaning}`);
      continue;
    }
    const parsed = variable.schema.safeParse(text);
    // The value is not printed: it may be a secret.
    if (!parsed.success)
      problems.push(
        `${variable.name} ${parsed.error.issues[0]?.message ?? 'is not valid'}: ${variable.meaning}`,
      );
    config[key] = parsed.data;
  }
  if (problems.length > 0) throw new ConfigError(`Configuration is not usable:\n  ${problems.join('\n  ')}`);
  // Every key was set by its own schema above.
  return Object.freeze(config) as Config;
}

/** Configuration of this process. The one place that touches the environment. */
export function loadConfig(required: (keyof Config)[] = []): Config {
  return readConfig(process.env, required);
}
