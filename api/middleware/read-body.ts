import express, { type NextFunction, type Request, type RequestHandler } from 'express';
import { AppError } from '../../shared/app-error.ts';
import { parseJsonBody } from '../../shared/contract/parse-json-body.ts';
import type { FieldFailure } from '../../shared/domain/failure.ts';

export const BODY_BYTES_MAX = 1_048_576;

// For the rare body with a Content-Encoding: unpacks it, and counts what comes out.
const readEncoded = express.raw({ type: () => true, limit: BODY_BYTES_MAX, inflate: true });
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the bytes of a JSON body into `req.body`; 415 for another type, 413 when it is too large. */
export const readJsonBody: RequestHandler = (req, res, next) => {
  if (!hasBody(req)) return next();
  if (!isJson(req.headers['content-type'])) {
    throw new AppError('unsupported_media_type', undefined, { headers: { Accept: 'application/json' } });
  }
  if ((req.headers['content-encoding'] ?? 'identity') !== 'identity') return readEncoded(req, res, next);
  if (Number(req.headers['content-length'] ?? 0) > BODY_BYTES_MAX) {
    req.resume();
    throw tooLarge();
  }
  readPlain(req, next);
};

/**
 * As bytes, not text: our own parser must see the source (exact amounts) and refuse what is no UTF-8.
 * express.raw would do; this is the hot path and costs a third of it.
 */
function readPlain(req: Request, next: NextFunction): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let isOver = false;
  const end = (err?: unknown) => {
    if (isOver) return;
    isOver = true;
    next(err);
  };
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    // What still comes is read and dropped, so that the caller gets to see the answer.
    if (size > BODY_BYTES_MAX) end(tooLarge());
    else chunks.push(chunk);
  });
  req.once('end', () => {
    const [only] = chunks;
    req.body = chunks.length === 1 ? only : Buffer.concat(chunks);
    end();
  });
  req.once('error', (cause) =>
    end(new AppError('invalid_json', 'The body ended before its stated length.', { cause })),
  );
}

const tooLarge = () => new AppError('body_too_large', `The body is larger than ${BODY_BYTES_MAX} bytes.`);

function hasBody(req: Request): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/** `application/json` or `application/…+json`, in UTF-8. */
function isJson(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  if (type !== 'application/json' && !/^application\/[\w.-]+\+json$/.test(type)) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  return charset === undefined || /^"?utf-?8"?$/.test(charset);
}

/**
 * The JSON value of a body that {@link readJsonBody} has read.
 * @throws AppError `invalid_json`, or `invalid_body` for what {@link parseJsonBody} refuses.
 */
export function parseBody(req: Request, optional: boolean): unknown {
  const bytes: unknown = req.body;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) {
    if (optional) return {};
    throw new AppError('invalid_json', 'The body is empty; send one JSON object.');
  }
  return parseJsonBody(decode(bytes));
}

/** The answer to a body that does not pass its schema, everything that is wrong at once. */
export function invalidBody(failures: FieldFailure[]): AppError {
  const named = failures.map(({ pointer, message }) => `${pointer || 'the body'}: ${message}`).join('; ');
  const shown = named.length > 500 ? `${named.slice(0, 500)}…` : named;
  return new AppError('invalid_body', `The body is not usable: ${shown}`, { failures });
}

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new AppError('invalid_json', 'The body is not valid UTF-8.', { cause });
  }
}
