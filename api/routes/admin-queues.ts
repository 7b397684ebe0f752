import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';
import type { RequestHandler, Router } from 'express';
import { AppError } from '../../shared/app-error.ts';
import type { RedisClient } from '../../shared/redis/connect.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { Guard } from '../serve-operation.ts';

const PATH = '/admin/queues';

/** A board of thousands of queues helps nobody: the first so many that hold work are shown. */
const QUEUES_SHOWN = 200;
const REFRESH_MS = 2_000;

/** The page asks for a font elsewhere; it works without, and nothing leaves the machine. */
const POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; form-action 'self'";

export type AdminQueuesDeps = { redis: RedisClient; keys: Keys; partitions: number };
export type AdminQueues = { mount: (router: Router, guard: Guard) => void; close: () => Promise<void> };

/** Bull Board over the queues that hold work, read only: jobs carry ids, their records tell the rest. */
export function createAdminQueues({ redis, keys, partitions }: AdminQueuesDeps): AdminQueues {
  const server = new ExpressAdapter();
  server.setBasePath(PATH);
  const board = createBullBoard({ queues: [], serverAdapter: server });
  const shown = new Map<string, Queue>();
  let refreshedAtMs = 0;

  async function refresh(): Promise<void> {
    if (Date.now() - refreshedAtMs < REFRESH_MS) return;
    refreshedAtMs = Date.now();
    const wanted = await findActive();
    for (const [id, queue] of shown) {
      if (wanted.has(id)) continue;
      shown.delete(id);
      queue.close().catch(() => {});
    }
    for (const [id, { partition, name }] of wanted) {
      if (!shown.has(id)) shown.set(id, openQueue(partition, name));
    }
    board.replaceQueues(
      [...shown].map(([id, queue]) => {
        const prefix = id.slice(0, id.indexOf('.') + 1);
        return new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false, prefix });
      }),
    );
  }

  async function findActive() {
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const names = await Promise.all(
      all.map((p) => redis.zrange(keys.active(p), '0', String(QUEUES_SHOWN - 1))),
    );
    const found = names.flatMap((list, partition) => list.map((name) => ({ partition, name })));
    return new Map(found.slice(0, QUEUES_SHOWN).map((queue) => [`${queue.partition}.${queue.name}`, queue]));
  }

  function openQueue(partition: number, name: string): Queue {
    const queue = new Queue(name, {
      connection: redis,
      prefix: keys.queuePrefix(partition),
      skipWaitingForReady: true,
    });
    queue.on('error', () => {});
    return queue;
  }

  return {
    mount(router, guard) {
      const refreshed: RequestHandler = async (_req, res, next) => {
        res.setHeader('Content-Security-Policy', POLICY);
        await refresh();
        next();
      };
      router.use(PATH, basicAsBearer, guard.authenticate, adminOnly, refreshed, server.getRouter());
    },
    async close() {
      await Promise.all([...shown.values()].map((queue) => queue.close().catch(() => {})));
    },
  };
}

/** A browser can send no bearer token: any user name with ADMIN_TOKEN as password does the same. */
const basicAsBearer: RequestHandler = (req, _res, next) => {
  const given = req.headers.authorization;
  if (given === undefined) throw askBrowser();
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(given)?.[1];
  if (encoded !== undefined) {
    const pair = Buffer.from(encoded, 'base64').toString('utf8');
    const password = pair.slice(pair.indexOf(':') + 1);
    // Anything that is no token (spaces, say) fails as one that is unknown does.
    req.headers.authorization = `Bearer ${password}`;
  }
  next();
};

const adminOnly: RequestHandler = (_req, res, next) => {
  // Queues of all workspaces are shown, so the admin scope of one is not enough.
  if (!res.locals.caller?.isAdmin)
    throw new AppError('insufficient_scope', 'Only ADMIN_TOKEN may see the queues.');
  next();
};

function askBrowser(): AppError {
  return new AppError('unauthorized', 'Sign in with any name and ADMIN_TOKEN as password.', {
    headers: { 'WWW-Authenticate': 'Basic realm="dealwright", charset="UTF-8"' },
  });
}
