import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, toJobError } from '../shared/app-error.ts';
import type { ErrorView } from '../shared/contract/error-view.ts';

/** What Node's parser and its clock say, in a sentence. Every other code is one of the parser's. */
const SENTENCES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'The headers are larger than 16 KiB.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive in time.',
};

/**
 * Answers what is no HTTP, or has more headers than are read: no handler ever sees it, and Node's own answer has neither an id nor
 * a reason. For `clientError` of the server.
 * @param underWay the answer that the connection is owed, if a request was read from it before.
 */
export function refuseMalformed(
  err: NodeJS.ErrnoException,
  socket: Duplex,
  underWay: ServerResponse | undefined,
): void {
  if (err.code === 'ECONNRESET' || !socket.writable || underWay?.headersSent) {
    socket.destroy();
    return;
  }
  const request_id = String(underWay?.getHeader('x-request-id') ?? randomUUID());
  const message = SENTENCES[err.code ?? ''] ?? 'The request is not valid HTTP.';
  const error: ErrorView = { ...toJobError(new AppError('invalid_header', message)), request_id };
  const body = JSON.stringify(error);
  const head = [
    `HTTP/1.1 ${error.statusCode} ${error.error}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${request_id}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
