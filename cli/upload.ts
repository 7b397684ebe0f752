import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, authorization, refusalOf, Unreached, unreached } from './api.ts';
import type { Source } from './source.ts';
import type { Target } from './target.ts';

const TRIES_MAX = 6;
const PAUSE_MAX_S = 30;

export type Upload = {
  target: Target;
  url: URL;
  source: Source;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** Bytes sent of the present try. */
  onSent: (bytes: number) => void;
  onRetry: (why: string, inSeconds: number) => void;
};

/**
 * Sends the file until it is taken or refused. Repeated only where the idempotency key of `headers` makes that safe and
 * the source can be read again.
 * @returns body of the answer, which is a success.
 * @throws Stop when refused, Unreached when no try came through.
 */
export async function uploadUntilTaken(upload: Upload): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await send(upload);
      if (answer.status < 300) return answer.body;
      throw refusalOf(answer);
    } catch (err) {
      if (upload.signal.aborted || !(err instanceof Unreached)) throw err;
      const isHopeless = attempt === TRIES_MAX || (attempt === 1 && err.isNobodyThere);
      if (isHopeless || !upload.source.isRepeatable) throw err;
      const pauseSeconds = Math.min(PAUSE_MAX_S, err.retryAfterSeconds ?? 2 ** (attempt - 1));
      upload.onRetry(err.message, pauseSeconds);
      await sleep(pauseSeconds * 1_000, undefined, { signal: upload.signal });
    }
  }
}

/** By node:http, which unlike fetch gives the answer to a body that is refused half-way. */
function send({ target, url, source, headers, signal, onSent }: Upload): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: 'POST',
      signal,
      headers: {
        ...authorization(target),
        ...headers,
        'Content-Type': source.contentType,
        ...(source.contentEncoding ? { 'Content-Encoding': source.contentEncoding } : {}),
        ...(source.sizeBytes === undefined ? {} : { 'Content-Length': source.sizeBytes }),
      },
    });
    let isAnswered = false;
    // The answer says more than the pipe that broke because of it.
    const fail = (cause: unknown) => {
      if (!isAnswered) reject(unreached(url, cause));
    };
    // Also when everything is sent and the connection breaks instead of an answer.
    request.on('error', fail);
    request.once('response', (response) => {
      isAnswered = true;
      readAnswer(response)
        .then(resolve, (cause) => reject(unreached(url, cause)))
        // What is not sent by now is not wanted.
        .finally(() => request.destroy());
    });
    async function* counted() {
      let sent = 0;
      for await (const chunk of source.open()) {
        yield chunk;
        sent += chunk.length;
        onSent(sent);
      }
    }
    pipeline(Readable.from(counted(), { objectMode: false, highWaterMark: 262_144 }), request).catch(fail);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const body = await text(response);
  const retryAfterSeconds = Number(response.headers['retry-after']) || undefined;
  return { status: response.statusCode ?? 0, retryAfterSeconds, body: parse(body) };
}

/** A proxy in between may answer in HTML. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
