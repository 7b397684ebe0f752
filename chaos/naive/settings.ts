/** What the harness tells its naive processes; the same variables as ours get, and where the sandbox is. */
export const REDIS_URL = process.env.REDIS_URL ?? '';
export const PREFIX = process.env.REDIS_PREFIX ?? 'naive';
export const SANDBOX = process.env.SANDBOX ?? '';
export const PORT = Number(process.env.PORT ?? process.env.WORKER_HEALTH_PORT ?? 0);
export const QUEUE = 'creates';
