import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { ADMIN_TOKEN } from './processes.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type ApiClient = ReturnType<typeof createApiClient>;

/** What was not confirmed in time, and is safe to send again by its key, is: as a client would, so often at most. */
const REPEATS_MAX = 10;
const REPEAT_MS = 1_000;

/** The public API as a benchmark uses it. */
export function createApiClient(origin: string) {
  const pool = new Pool(origin, { connections: 64 });

  async function call<T>(method: Method, path: string, body?: unknown, idempotencyKey?: string): Promise<T> {
    for (let repeats = 0; ; repeats++) {
      const answer = await callOnce(method, path, body, idempotencyKey);
      // What each caller asks for is in the OpenAPI document.
      if (answer.status < 300) return (answer.text ? JSON.parse(answer.text) : undefined) as T;
      const isSafe = method === 'GET' || idempotencyKey !== undefined;
      if (answer.status !== 503 || !isSafe || repeats === REPEATS_MAX)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      await sleep(REPEAT_MS);
    }
  }

  async function callOnce(
    method: Method,
    path: string,
    body: unknown,
    idempotencyKey: string | undefined,
  ): Promise<{ status: number; text: string }> {
    const answer = await pool.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }

  return {
    call,
    close: () => pool.close(),
    /** Runs `count` calls with `width` of them in flight. */
    async many(count: number, width: number, one: (i: number) => Promise<unknown>): Promise<void> {
      let next = 0;
      const lane = async () => {
        while (next < count) await one(next++);
      };
      await Promise.all(Array.from({ length: width }, lane));
    },
  };
}
