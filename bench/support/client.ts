import { Pool } from 'undici';
import { ADMIN_TOKEN } from './processes.ts';

export type ApiClient = ReturnType<typeof createApiClient>;

/** The public API as a benchmark uses it. */
export function createApiClient(origin: string) {
  const pool = new Pool(origin, { connections: 64 });

  async function call<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<T> {
    const answer = await pool.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    // What each caller asks for is in the OpenAPI document.
    return (text ? JSON.parse(text) : undefined) as T;
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
