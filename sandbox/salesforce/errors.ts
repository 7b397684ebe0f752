/** One error as Salesforce means it; the two wire shapes are made from it. */
export type SalesforceError = {
  code: string;
  message: string;
  /** Absent: the single-call shape has no `fields` key at all. */
  fields?: string[];
  /** HTTP status where the error is the answer of a single call. */
  status?: number;
  /** Further keys of the single-call shape. */
  extra?: Record<string, unknown>;
};

/** Ends the handling of one REST call with an error answer. Thrown, so that parsers may stop anywhere. */
export class RestFailure extends Error {
  readonly status: number;
  readonly errors: SalesforceError[];
  readonly headers: Record<string, string>;
  constructor(errors: SalesforceError | SalesforceError[], headers: Record<string, string> = {}) {
    const list = Array.isArray(errors) ? errors : [errors];
    super(list.map((error) => `${error.code}: ${error.message}`).join('; '));
    this.errors = list;
    this.status = list[0]?.status ?? 400;
    this.headers = headers;
  }
}

/** Single-call shape: `[{message, errorCode, fields?}]`. Source: REST API, Status Codes and Error Responses. */
export function toErrorArray(errors: SalesforceError[]): Record<string, unknown>[] {
  return errors.map(({ message, code, fields, extra }) => ({
    ...extra,
    message,
    errorCode: code,
    ...(fields === undefined ? {} : { fields }),
  }));
}

/** Shape inside a 200: `[{statusCode, message, fields}]`. Source: REST API, sObject Collections. */
export function toStatusErrors(errors: SalesforceError[]): Record<string, unknown>[] {
  return errors.map(({ code, message, fields }) => ({ statusCode: code, message, fields: fields ?? [] }));
}

export function notFound(message = 'The requested resource does not exist'): SalesforceError {
  return { code: 'NOT_FOUND', message, status: 404 };
}

export function noSuchColumn(field: string, object: string): SalesforceError {
  return { code: 'INVALID_FIELD', message: `No such column '${field}' on sobject of type ${object}` };
}

export function noSuchExternalIdField(field: string): SalesforceError {
  return notFound(`Provided external ID field does not exist or is not accessible: ${field}`);
}

/** Source: REST API, sObject Rows; the parser names the value and its place. */
export function cannotDeserialize(
  type: string,
  token: string,
  value: string,
  column: number,
): SalesforceError {
  return {
    code: 'JSON_PARSER_ERROR',
    message:
      `Cannot deserialize instance of ${type} from ${token} value ${value} ` +
      `or request may be missing a required field at [line:1, column:${column}]`,
  };
}

export function methodNotAllowed(method: string, allowed: string[]): RestFailure {
  const list = allowed.join(',');
  return new RestFailure(
    {
      code: 'METHOD_NOT_ALLOWED',
      message: `HTTP Method '${method}' not allowed. Allowed are ${list}`,
      status: 405,
    },
    { allow: list },
  );
}

export function halted(): SalesforceError {
  return {
    code: 'PROCESSING_HALTED',
    message: 'The transaction was rolled back since another operation in the same transaction failed.',
  };
}

export function rowLock(ids: string): SalesforceError {
  return {
    code: 'UNABLE_TO_LOCK_ROW',
    message: `unable to obtain exclusive access to this record or 1 records: ${ids}`,
    fields: [],
  };
}
