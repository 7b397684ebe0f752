import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError, toJobError } from '../shared/app-error.ts';
import type { ErrorView } from '../shared/contract/error-view.ts';

/** How long a peer may take to read why it was refused. */
const LINGER_MS = 1_000;

/**
 * Answers what is no HTTP, or has more headers than are read: no handler ever sees it, and Node's own answer has neither an id nor
 * a reason. For `clientError` of the server. In any case the connection ends, be its other side kept open or not.
 * @param owed answers that the connection has not got yet.
 */
export function refuseMalformed(
  err: NodeJS.ErrnoException,
  socket: Duplex,
  owed: ReadonlySet<ServerResponse>,
): void {
  const [only, ...others] = owed;
  // Nobody reads, or nobody could tell whose answer it is.
  const isOver = err.code === 'ECONNRESET' || err.code === 'ERR_HTTP_REQUEST_TIMEOUT' || !socket.writable;
  if (isOver || others.length > 0) {
    socket.destroy();
    return;
  }
  if (only?.req.complete) {
    // What was asked before may have been done: that answer is owed, and nothing else.
    only.once('close', () => socket.destroy());
    only.once('finish', () => socket.end());
    return;
  }
  if (only?.headersSent) {
    socket.destroy();
    return;
  }
  socket.end(refusalOf(err.code, only), () => socket.destroy());
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** HTTP/1.1 wants a `Host`; without it Node's own answer would have no body. @returns whether it was refused. */
export function refuseHostless(req: IncomingMessage, res: ServerResponse): boolean {
  if (req.headers.host !== undefined || req.httpVersion !== '1.1') return false;
  const { status, headers, body } = refusal('A request of HTTP/1.1 must have a Host header.', randomUUID());
  res.writeHead(status, headers).end(body);
  return true;
}

function refusalOf(code: string | undefined, underWay: ServerResponse | undefined): string {
  const message =
    code === 'HPE_HEADER_OVERFLOW' ? 'The headers are larger than 16 KiB.' : 'The request is not valid HTTP.';
  const { status, reason, headers, body } = refusal(
    message,
    String(underWay?.getHeader('x-request-id') ?? randomUUID()),
  );
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `${[`HTTP/1.1 ${status} ${reason}`, ...head].join('\r\n')}\r\n\r\n${body}`;
}

function refusal(message: string, request_id: string) {
  const error: ErrorView = { ...toJobError(new AppError('invalid_header', message)), request_id };
  const body = JSON.stringify(error);
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': request_id,
    Connection: 'close',
  };
  return { status: error.statusCode, reason: error.error, headers, body };
}
