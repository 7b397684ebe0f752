import type { Answer } from '../core/provider.ts';

/** Keyed by the name in Close's model (`lead`), which is not the name in the request (`lead_id`). */
export type FieldErrors = Record<string, unknown>;

/** Close's texts for bad fields. */
export const FIELD_TEXTS = {
  required: 'This field is required.',
  missingObject: 'Object does not exist.',
  notAChoice: 'Not a valid choice.',
  notAnInt: 'Value must be of int type.',
  notANumber: 'Value must be of float type.',
  notText: 'Value must be of str type.',
  notAList: 'Value must be of list type.',
  notADateTime: 'Invalid ISO 8601 datetime.',
  notADate: 'Could not parse datetime',
  fixed: 'Value cannot be changed.',
} as const;

export function atLeast(bound: number): string {
  return `The value must be at least ${bound}.`;
}

export function atMost(bound: number): string {
  return `The value must not be larger than ${bound}.`;
}

export function fieldErrors(errors: FieldErrors): Answer {
  return { status: 400, body: { errors: [], 'field-errors': errors } };
}

/** Newer endpoints leave out `errors`. */
export function fieldErrorsOnly(errors: FieldErrors): Answer {
  return { status: 400, body: { 'field-errors': errors } };
}

export function badRequest(text: string): Answer {
  return { status: 400, body: { error: text } };
}

export function unauthorized(): Answer {
  return { status: 401, body: { error: 'Unauthorized' } };
}

export function missingRecord(model: string): Answer {
  return { status: 404, body: { error: `Empty query: ${model} matching query does not exist.` } };
}

/** An unknown URL, a missing trailing slash among them, is answered by the web framework, not by the API. */
export function unknownUrl(): Answer {
  return {
    status: 404,
    body: { error: 'The requested URL was not found on the server. Check the spelling and try again.' },
  };
}

export function wrongMethod(): Answer {
  return { status: 405, body: { error: 'The method is not allowed for the requested URL.' } };
}

/** What a bare status looks like: JSON where Close itself answers, HTML where its gateway does. */
export function statusAnswer(status: number): Answer {
  switch (status) {
    case 400:
      return fieldErrors({});
    case 401:
      return unauthorized();
    case 402:
      return { status, body: { error: 'Plan limit reached.' } };
    case 403:
      return { status, headers: { 'content-type': 'text/plain' }, body: 'Forbidden' };
    case 404:
      return missingRecord('Opportunity');
    case 405:
      return wrongMethod();
    default:
      return status >= 500 ? gatewayError(status) : { status, body: { error: `Status ${status}` } };
  }
}

function gatewayError(status: number): Answer {
  const title = { 500: 'Internal Server Error', 502: 'Bad Gateway', 503: 'Service Unavailable' }[status];
  const text = `${status} ${title ?? 'Gateway Time-out'}`;
  return {
    status,
    headers: { 'content-type': 'text/html' },
    body: `<html><head><title>${text}</title></head><body><center><h1>${text}</h1></center></body></html>`,
  };
}
