import type { Answer } from '../core/provider.ts';

/** One failed rule: text in lower case, the entity in the singular, and the JSON property or path. */
export type Failure = { message: string; resource: string; field: string };

/** Collects every rule a request breaks; all of them come back in one answer. */
export type Failures = { add(field: string, message: string, resource?: string): void; list: Failure[] };

export function createFailures(): Failures {
  const list: Failure[] = [];
  return {
    list,
    add(field, message, resource = 'opportunity') {
      list.push({ message, resource, field });
    },
  };
}

export function validationFailed(errors: Failure[]): Answer {
  return { status: 422, body: { message: 'Validation Failed', errors } };
}

export function failure(field: string, message: string, resource = 'opportunity'): Answer {
  return validationFailed([{ message, resource, field }]);
}

/** A bad or expired token. */
export function unauthorized(): Answer {
  return {
    status: 401,
    headers: { 'www-authenticate': 'Bearer realm="capsule", error="invalid_token"' },
    body: { message: 'Invalid or expired access token' },
  };
}

/** The token is good, but not for this. */
export function forbidden(): Answer {
  return {
    status: 403,
    headers: { 'www-authenticate': 'Bearer realm="capsule", error="insufficient_scope", scope="write"' },
    body: { message: 'Requires additional scope' },
  };
}

export function missingRecord(resource: string): Answer {
  return { status: 404, body: { message: `${resource} not found` } };
}

export function unknownPath(): Answer {
  return { status: 404, body: { message: 'Could not find resource' } };
}

export function wrongMethod(): Answer {
  return { status: 405, body: { message: 'Method not allowed' } };
}

export function malformed(): Answer {
  return { status: 400, body: { message: 'Malformed JSON' } };
}

export function wrongMediaType(): Answer {
  return { status: 415, body: { message: 'Unsupported media type' } };
}

/** What a bare status looks like: JSON where Capsule itself answers, HTML where its gateway does. */
export function statusAnswer(status: number): Answer {
  switch (status) {
    case 400:
      return malformed();
    case 401:
      return unauthorized();
    case 403:
      return forbidden();
    case 404:
      return unknownPath();
    case 405:
      return wrongMethod();
    case 422:
      return validationFailed([]);
    default:
      return status >= 500 ? gatewayError(status) : { status, body: { message: `Status ${status}` } };
  }
}

function gatewayError(status: number): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${status}</title></head><body><h1>${status} Server Error</h1></body></html>`,
  };
}
