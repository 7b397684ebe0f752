import type { FieldErrors } from './errors.ts';

export type Paging = { limit: number; skip: number };

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 200;
const SKIP_MAX = 35_000;

/** Beyond the caps is an error, in the words of the newer endpoints ("Pagination"). */
export function readPaging(params: Map<string, string>, errors: FieldErrors): Paging {
  return {
    limit: readCapped(params, '_limit', LIMIT_DEFAULT, LIMIT_MAX, errors),
    skip: readCapped(params, '_skip', 0, SKIP_MAX, errors),
  };
}

function readCapped(
  params: Map<string, string>,
  name: string,
  fallback: number,
  max: number,
  errors: FieldErrors,
): number {
  const text = params.get(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value)) errors[name] = 'Input should be a valid integer';
  else if (value < 0) errors[name] = 'Input should be greater than or equal to 0';
  else if (value > max) errors[name] = `Input should be less than or equal to ${max}`;
  return value;
}
