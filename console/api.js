/**
 * A client of the public API, as anybody could write one. The token lives in this tab's session storage, and goes nowhere but into
 * the `Authorization` header.
 */
/** @import { Account, ApiProblem, List, Tried } from './types.ts' */

const TOKEN = 'dealwright.token';
const WORKSPACE = 'dealwright.workspace';
const NAMES_MS = 10_000;

/** What the API refused, in its own words; `statusCode` 0: it was not reached. */
export class Problem extends Error {
  /** @param {ApiProblem} problem */
  constructor(problem) {
    super(problem.message);
    this.statusCode = problem.statusCode;
    this.code = problem.code;
    this.requestId = problem.request_id;
    this.failures = problem.details?.failures ?? [];
  }

  /** The token is not, or no longer, good. A provider that refuses an account's credentials is a 401 too. */
  get isSignedOut() {
    return this.code === 'unauthorized';
  }
}

/** What the console itself refuses, before anything is sent. @param {string} message */
export const mistake = (message) => new Problem({ statusCode: 0, code: 'not_sent', message });

/** @param {string} what is read, for the reader @param {string} text @throws {Problem} */
export function parseJson(what, text) {
  try {
    return JSON.parse(text);
  } catch (err) {
    throw mistake(`${what} must be JSON: ${err instanceof Error ? err.message : err}`);
  }
}

export const isSignedIn = () => sessionStorage.getItem(TOKEN) !== null;
export const workspace = () => sessionStorage.getItem(WORKSPACE) ?? '';

/**
 * Keeps the token if the API knows it.
 * @param {string} token
 * @param {string} inWorkspace only the admin token may name one
 */
export async function signIn(token, inWorkspace) {
  sessionStorage.setItem(TOKEN, token);
  sessionStorage.setItem(WORKSPACE, inWorkspace);
  try {
    await ask('GET', '/jobs?limit=1');
  } catch (err) {
    // A token that may not read jobs is one all the same.
    if (err instanceof Problem && err.statusCode === 403) return;
    signOut();
    throw err;
  }
}

export function signOut() {
  sessionStorage.removeItem(TOKEN);
  sessionStorage.removeItem(WORKSPACE);
  names = undefined;
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
  });
  // What comes of 204 is read by nobody.
  return answer.status === 204 ? /** @type {T} */ (undefined) : answer.json();
}

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
    if (more.signal?.aborted) throw err;
    throw new Problem({ statusCode: 0, code: 'unreachable', message: 'The API cannot be reached.' });
  });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => undefined);
  throw new Problem(
    problem ?? { statusCode: answer.status, code: 'unknown', message: `The API answered ${answer.status}.` },
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
export const readAccounts = async () => {
  /** @type {List<Account>} */
  const list = await ask('GET', '/integrated-accounts');
  return list.data;
};

/** @type {{ readAtMs: number, byId: Promise<Map<string, string>> } | undefined} */
let names;

/** Names of accounts by their ids, some seconds old at most; empty for a token that may not read them. */
export function accountNames() {
  if (!names || Date.now() - names.readAtMs > NAMES_MS) {
    const byId = tried(readAccounts()).then(
      (read) => new Map('value' in read ? read.value.map(({ id, name }) => [id, name]) : []),
    );
    names = { readAtMs: Date.now(), byId };
  }
  return names.byId;
}

/**
 * A query of what is there.
 * @param {Record<string, string | number | null | undefined>} parameters
 */
export function query(parameters) {
  const entries = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return entries.length === 0
    ? ''
    : `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}
