/**
 * A client of the public API, as anybody could write one. The token lives in this tab's session storage, and goes nowhere but into
 * the `Authorization` header.
 */

/** @import { Account, ApiProblem, Done, List, Tried } from './types.ts' */

const TOKEN = 'dealwright.token';
const WORKSPACE = 'dealwright.workspace';
/** What is only read is given up after so long, so that the reader learns of it. */
export const READ_MS = 15_000;
const ACCOUNTS_MS = 10_000;
const EMPTY_PAGES_MAX = 10;

/** What the API refused, in its own words; `statusCode` 0: nothing was answered. */
export class Problem extends Error {
  /** @param {ApiProblem} problem @param {number} [retryAfterMs] when to ask again at the soonest */
  constructor(problem, retryAfterMs = 0) {
    super(problem.message);
    this.statusCode = problem.statusCode;
    this.code = problem.code;
    this.requestId = problem.request_id;
    this.failures = problem.details?.failures ?? [];
    this.retryAfterMs = retryAfterMs;
  }

  /** The token is not, or no longer, good. A provider that refuses an account's credentials is a 401 too. */
  get isSignedOut() {
    return this.code === 'unauthorized';
  }
}

/** What the console itself refuses, before anything is sent. @param {string} message */
export const mistake = (message) => new Problem({ statusCode: 0, code: 'not_sent', message });

const unanswered = (/** @type {string} */ message) =>
  new Problem({ statusCode: 0, code: 'unanswered', message });
export const cutOff = () => unanswered('The answer of the API was cut off.');

/**
 * @param {string} what is read, for the reader
 * @param {string} text
 * @returns {Record<string, unknown>}
 * @throws {Problem} for anything but a JSON object
 */
export function parseObject(what, text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch (err) {
    throw mistake(`${what} must be JSON: ${err instanceof Error ? err.message : err}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw mistake(`${what} must be a JSON object, as {"name": "value"}.`);
  return value;
}

export const isSignedIn = () => sessionStorage.getItem(TOKEN) !== null;
export const workspace = () => sessionStorage.getItem(WORKSPACE) ?? '';

/**
 * Keeps the token if the API knows it.
 * @param {string} token
 * @param {string} inWorkspace only the admin token may name one
 */
export async function signIn(token, inWorkspace) {
  if (!/^[\x21-\x7e]+$/.test(token)) throw mistake('A token has neither spaces nor letters beyond ASCII.');
  sessionStorage.setItem(TOKEN, token);
  sessionStorage.setItem(WORKSPACE, inWorkspace);
  try {
    await tryToken();
    return;
  } catch (err) {
    const isRefused = err instanceof Problem && err.statusCode === 403;
    // A token that may not read jobs is one all the same; one of a workspace may name no other.
    if (isRefused && (inWorkspace === '' || !err.message.includes('X-Workspace'))) return;
    signOut();
    throw err;
  }
}

const tryToken = () => ask('GET', '/jobs?limit=1');

export function signOut() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(WORKSPACE);
  accounts = undefined;
}

/**
 * @template [T=unknown]
 * @param {string} method
 * @param {string} path with its query
 * @param {unknown} [body] sent as JSON
 * @returns {Promise<T>} the answer's body
 * @throws {Problem}
 */
export async function ask(method, path, body) {
  const answer = await send(method, path, {
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: method === 'GET' ? AbortSignal.timeout(READ_MS) : undefined,
  });
  // What comes of 204 is read by nobody.
  if (answer.status === 204) return /** @type {T} */ (undefined);
  return answer.json().catch(() => {
    throw cutOff();
  });
}

/**
 * A page of a list, or the first after it that is not empty: where a filter hardly matches, a page may be.
 * @template T
 * @param {string} path
 * @param {Parameters<typeof queryOf>[0]} parameters
 * @returns {Promise<List<T>>}
 */
export async function askPage(path, parameters) {
  /** @type {List<T>} */
  let list = await ask('GET', `${path}${queryOf(parameters)}`);
  for (let more = 0; more < EMPTY_PAGES_MAX && list.data.length === 0 && list.next_cursor !== null; more++) {
    list = await ask('GET', `${path}${queryOf({ ...parameters, cursor: list.next_cursor })}`);
  }
  return list;
}

/**
 * What a button does that asks for one thing.
 * @param {string} path
 * @param {string} said afterwards
 * @param {unknown} [body]
 * @returns {() => Promise<Done>}
 */
export const post = (path, said, body) => async () => {
  await ask('POST', path, body);
  return { said };
};

/**
 * @param {string} method
 * @param {string} path
 * @param {{ headers?: Record<string, string>, body?: BodyInit, signal?: AbortSignal }} [more]
 * @returns {Promise<Response>} of a success
 * @throws {Problem}
 */
export async function send(method, path, more = {}) {
  const named = workspace();
  const headers = {
    ...more.headers,
    authorization: `Bearer ${sessionStorage.getItem(TOKEN) ?? ''}`,
    ...(named ? { 'x-workspace': named } : {}),
  };
  const answer = await fetch(path, { method, ...more, headers }).catch((err) => {
    throw err.name === 'TimeoutError'
      ? unanswered(`The API has not answered within ${READ_MS / 1_000} seconds.`)
      : unanswered('The API cannot be reached.');
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => undefined);
  throw new Problem(
    problem ?? { statusCode: answer.status, code: 'unknown', message: `The API answered ${answer.status}.` },
    // A proxy may say it as a date.
    (Number(answer.headers.get('retry-after')) || 0) * 1_000,
  );
}

/**
 * What could be read, or why not: a page shows the rest.
 * @template T
 * @param {Promise<T>} reading
 * @returns {Promise<Tried<T>>}
 */
export async function tried(reading) {
  try {
    return { value: await reading };
  } catch (err) {
    // Whoever has to sign in first is told so once, for the whole page.
    if (err instanceof Problem && !err.isSignedOut) return { problem: err };
    throw err;
  }
}

/** @returns {Promise<Account[]>} */
export async function readAccounts() {
  /** @type {List<Account>} */
  const list = await ask('GET', '/integrated-accounts');
  return list.data;
}

/** @type {{ readAtMs: number, list: Promise<Account[]> } | undefined} */
let accounts;

/** The accounts, some seconds old at most; none for a token that may not read them. */
export function knownAccounts() {
  if (accounts && Date.now() - accounts.readAtMs <= ACCOUNTS_MS) return accounts.list;
  const list = readAccounts().catch((err) => {
    if (err instanceof Problem && err.statusCode === 403) return [];
    throw err;
  });
  const own = { readAtMs: Date.now(), list };
  accounts = own;
  // What failed is no answer for whoever asks next.
  list.catch(() => {
    if (accounts === own) accounts = undefined;
  });
  return list;
}

/** @param {Account[]} all */
export const namesOf = (all) => new Map(all.map(({ id, name }) => [id, name || id]));
/** Names of accounts by their ids. */
export const accountNames = async () => namesOf(await knownAccounts());

/**
 * A query of what is there.
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function queryOf(parameters) {
  const entries = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return entries.length === 0
    ? ''
    : `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}
