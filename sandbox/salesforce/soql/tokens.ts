import { RestFailure } from '../errors.ts';

export type Token = {
  kind: 'word' | 'string' | 'number' | 'date' | 'datetime' | 'symbol' | 'end';
  text: string;
  /** 0-based offset in the query. */
  at: number;
};

const shapes: [kind: Token['kind'], pattern: RegExp][] = [
  ['datetime', /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})/y],
  ['date', /\d{4}-\d{2}-\d{2}(?![\dT])/y],
  ['number', /[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['string', /'(?:[^'\\]|\\.)*'/y],
  ['word', /[A-Za-z_][\w.]*(?::\d+)?/y],
  ['symbol', /<>|<=|>=|!=|[=<>(),]/y],
];

/** Splits a query. Source: SOQL and SOSL Reference, SOQL SELECT Syntax. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    if (/\s/.test(query.charAt(at))) {
      at += 1;
      continue;
    }
    const token = readToken(query, at);
    if (token === undefined) throw malformedQuery(query, at, `unexpected token: '${query.charAt(at)}'`);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: query.length });
  return tokens;
}

function readToken(query: string, at: number): Token | undefined {
  for (const [kind, pattern] of shapes) {
    pattern.lastIndex = at;
    const match = pattern.exec(query);
    if (match !== null) return { kind, text: match[0], at };
  }
  return undefined;
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

/** The text of a quoted literal. Source: SOQL and SOSL Reference, Quoted String Escape Sequences. */
export function unquote(token: string): string {
  return token.slice(1, -1).replace(/\\(.)/g, (_, char: string) => escapes[char] ?? char);
}

export function malformedQuery(query: string, at: number, message: string): RestFailure {
  return new RestFailure({ code: 'MALFORMED_QUERY', message: `${pointAt(query, at)}${message}` });
}

/** The excerpt with a caret that query errors begin with. */
export function pointAt(query: string, at: number): string {
  const start = Math.max(0, at - 30);
  const excerpt = query.slice(start, at + 30);
  return `\n${excerpt}\n${' '.repeat(at - start)}^\nERROR at Row:1:Column:${at + 1}\n`;
}
