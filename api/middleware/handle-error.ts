import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { AppError, toJobError } from '../../shared/app-error.ts';
import type { ErrorView } from '../../shared/contract/error-view.ts';
import type { Logger } from '../../shared/logger.ts';
import { isStoreUnavailable } from '../../shared/redis/unavailable.ts';
import { sendAnswer } from '../send-answer.ts';
import { BODY_BYTES_MAX } from './read-body.ts';

/** The only place that turns an error into an answer. */
export function handleError(logger: Logger): ErrorRequestHandler {
  return (err, req, res, _next) => {
    const error = toAppError(err);
    res.locals.errorCode = error.code;
    if (error.statusCode >= 500) {
      const level = error.code === 'internal_error' ? 'error' : 'warn';
      logger[level](
        { err: error.facts.cause ?? error, code: error.code, request_id: res.locals.requestId },
        'request.failed',
      );
    }
    // The caller is gone, or has half an answer: there is nothing left to say.
    if (res.headersSent || req.socket.destroyed) return void res.destroy();
    sendError(res, error);
  };
}

export const routeNotFound: RequestHandler = (req, _res, next) => {
  next(
    new AppError(
      'route_not_found',
      `There is no route ${req.method} ${req.path.slice(0, 200)}; see /openapi.json.`,
    ),
  );
};

/** For a path that exists, with the methods it knows. */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allow = methods.join(', ');
  return (req, _res, next) => {
    next(
      new AppError('method_not_allowed', `${req.method} is not allowed here; ${allow} is.`, {
        headers: { Allow: allow },
      }),
    );
  };
}

function sendError(res: Response, error: AppError): void {
  const { jobId, retryAfterSeconds } = error.facts;
  const headers = { ...error.facts.headers };
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  if (jobId !== undefined) headers['X-Job-Id'] = jobId;
  const body: ErrorView = {
    ...toJobError(error),
    request_id: res.locals.requestId ?? '',
    ...(jobId === undefined ? {} : { job_id: jobId }),
  };
  sendAnswer(res, { status: error.statusCode, headers, body });
}

/** Errors of the body reader carry `type`; those of the router a `status`. */
type HttpLibraryError = { type?: unknown; status?: unknown; message?: unknown };

/** What the caller is told of anything that was thrown. */
export function toAppError(err: unknown): AppError {
  if (err instanceof AppError) return err;
  if (isStoreUnavailable(err)) {
    return new AppError('durability_unavailable', undefined, { retryAfterSeconds: 1, cause: err });
  }
  if (typeof err === 'object' && err !== null) {
    const known = fromHttpLibrary(err);
    if (known) return known;
  }
  return new AppError('internal_error', undefined, { cause: err });
}

function fromHttpLibrary({ type, status, message }: HttpLibraryError): AppError | undefined {
  switch (type) {
    case 'entity.too.large':
      return new AppError('body_too_large', `The body is larger than ${BODY_BYTES_MAX} bytes.`);
    case 'encoding.unsupported':
      return new AppError('unsupported_media_type', 'The Content-Encoding is not one of gzip, deflate, br.');
    case 'request.size.invalid':
    case 'request.aborted':
    case 'stream.encoding.set':
      return new AppError('invalid_json', 'The body ended before its stated length.');
  }
  if (err400(status)) {
    // A path with a broken percent-encoding, or a body that does not unpack.
    return message instanceof Error || String(message).includes('decode param')
      ? new AppError('route_not_found', 'The path has a broken percent-encoding.')
      : new AppError('invalid_json', 'The body cannot be read; check Content-Encoding.');
  }
  return undefined;
}

const err400 = (status: unknown) => status === 400;
