import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { handleError } from '../../api/middleware/handle-error.ts';
import { serveMeta } from '../../api/routes/meta.ts';
import { createServe } from '../../api/serve-operation.ts';
import { systemClock } from '../../shared/clock.ts';
import type { AccountFacts } from '../../shared/domain/integrated-account.ts';
import { descriptorOf } from '../../shared/providers/descriptors.ts';
import type { QueryAnswer } from '../../shared/queues/messages.ts';
import { createAccountStore } from '../../shared/stores/account-store.ts';
import { createSealedBox } from '../../shared/stores/sealed-box.ts';
import { aTestRedis, silentLogger } from '../support/redis.ts';

const facts = (fetchedAtMs: number): AccountFacts => ({
  fetchedAtMs,
  stages: [{ id: 's1', name: 'New', status: 'open', active: true }],
  owners: [],
  customFields: [],
  currency: { mode: 'organisation', code: 'EUR' },
  user: { id: 'u1', name: 'Ann' },
  features: {},
});

async function aMetaApi() {
  const { redis, keys } = await aTestRedis();
  const box = createSealedBox([{ id: 'k1', key: randomBytes(32) }]);
  const store = createAccountStore({ redis, keys, partitions: 4, box, clock: systemClock });
  const asked: string[] = [];
  let answer: QueryAnswer = { ok: true, value: facts(Date.now()), at_ms: Date.now() };
  const app = express();
  const { serve } = createServe(app, {
    authenticate: (_req, res, next) => {
      res.locals.caller = { workspace: 'default', scopes: ['admin'], isAdmin: true };
      next();
    },
    requireScope: () => (_req, _res, next) => next(),
  });
  const ask = async (_account: unknown, { kind }: { kind: string }) => {
    asked.push(kind);
    return answer;
  };
  serveMeta(serve, { store, queries: { ask }, descriptorOf, clock: systemClock, tellLimits: async () => {} });
  app.use(handleError(silentLogger));
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((listening) => server.once('listening', listening));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/unified/crm/opportunities${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const answerWith = (next: QueryAnswer) => {
    answer = next;
  };
  return { store, asked, get, answerWith };
}

it('describes a provider without an account', async () => {
  const { get, asked } = await aMetaApi();
  const reply = await get('/capsule/meta/create');
  expect(reply.status).toBe(200);
  expect(reply.body).toMatchObject({ object: 'create_meta', provider: 'capsule', method: 'create' });
  expect((await get('/hubspot/meta/create')).status).toBe(404);
  expect(asked).toEqual([]);
});

it('describes an account by kept values with their age, and reads them when there are none or on demand', async () => {
  const { get, asked, store, answerWith } = await aMetaApi();
  const account = await store.create({
    workspace: 'default',
    provider: 'close',
    name: 'Close',
    settings: {},
    credentials: { type: 'api_key', api_key: 'x' },
  });
  if (account === 'exists') throw new Error('the id is new');
  const path = `/meta/create?integrated_account_id=${account.id}`;
  expect((await get(path)).body).toMatchObject({ live: { age_seconds: 0, user: { name: 'Ann' } } });
  expect(asked).toEqual(['facts']);

  await store.putFacts(account.id, facts(Date.now() - 90_000));
  expect((await get(path)).body).toMatchObject({ live: { age_seconds: 90 } });
  expect(asked).toHaveLength(1);

  answerWith({ ok: false, code: 'query_timed_out', message: 'No worker answered.', at_ms: 0 });
  const refused = await get(`${path}&refresh=true`);
  expect([refused.status, refused.body.code]).toEqual([504, 'query_timed_out']);
  expect((await get('/meta/create')).status).toBe(400);
  const unknown = account.id.replace(/^./, (digit) => (digit === 'f' ? 'e' : 'f'));
  expect((await get(`/meta/create?integrated_account_id=${unknown}`)).status).toBe(404);
});
