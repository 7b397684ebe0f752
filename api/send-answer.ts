import type { Response } from 'express';

/** What a handler answers; `body` is sent as JSON. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown };

/** Writes without Express's `res.json`, whose ETag would hash every body. */
export function sendAnswer(res: Response, { status, headers, body }: Answer): void {
  res.statusCode = status;
  if (headers) for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (body === undefined) {
    res.end();
    return;
  }
  const text = JSON.stringify(body);
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(text));
  res.end(text);
}
