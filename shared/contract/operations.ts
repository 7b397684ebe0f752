import type { Operation } from './operation.ts';
import * as accounts from './operations/accounts.ts';
import * as health from './operations/health.ts';
import * as imports from './operations/imports.ts';
import * as jobs from './operations/jobs.ts';
import * as meta from './operations/meta.ts';
import * as opportunities from './operations/opportunities.ts';
import * as tokens from './operations/tokens.ts';
import * as webhooks from './operations/webhooks.ts';

const isOperation = (value: unknown): value is Operation =>
  typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'responses' in value;

/** Every HTTP operation of the API, in the order of the documentation. */
export const OPERATIONS: readonly Operation[] = [
  opportunities,
  meta,
  jobs,
  imports,
  accounts,
  webhooks,
  tokens,
  health,
].flatMap((group) => Object.values<unknown>(group).filter(isOperation));
