import { parseDatetime } from '../write/coerce.ts';
import { malformedQuery, type Token, tokenize, unquote } from './tokens.ts';

export type Path = { names: string[]; at: number };
export type Literal = {
  kind: 'string' | 'number' | 'boolean' | 'null' | 'date' | 'datetime' | 'date_word';
  value: string | number | boolean | null;
};
export type Operator =
  | '='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'LIKE'
  | 'IN'
  | 'NOT IN'
  | 'INCLUDES'
  | 'EXCLUDES';
export type Condition =
  | { kind: 'and' | 'or'; parts: Condition[] }
  | { kind: 'not'; part: Condition }
  | { kind: 'compare'; path: Path; operator: Operator; values: Literal[]; subquery?: Query };
export type Query = {
  text: string;
  /** Columns in order; empty for COUNT(). */
  fields: Path[];
  children: Query[];
  isCount: boolean;
  from: string;
  fromAt: number;
  where: Condition | undefined;
  orderBy: { path: Path; descending: boolean; nullsLast: boolean }[];
  limit: number | undefined;
  offset: number;
};

/** Parses the subset of SOQL the sandbox answers; anything else is MALFORMED_QUERY. */
export function parseQuery(text: string): Query {
  const reader = createReader(text);
  const query = readQuery(reader);
  if (reader.peek().kind !== 'end') throw reader.unexpected();
  return query;
}

type Reader = ReturnType<typeof createReader>;

function createReader(text: string) {
  const tokens = tokenize(text);
  let index = 0;
  const end: Token = { kind: 'end', text: '<EOF>', at: text.length };
  const peek = (ahead = 0): Token => tokens[index + ahead] ?? end;
  const unexpected = (): Error => malformedQuery(text, peek().at, `unexpected token: '${peek().text}'`);
  const is = (word: string, ahead = 0): boolean =>
    peek(ahead).kind !== 'string' && peek(ahead).text.toUpperCase() === word;
  const take = (): Token => {
    const token = peek();
    index += 1;
    return token;
  };
  const accept = (...words: string[]): boolean => {
    if (!words.every((word, ahead) => is(word, ahead))) return false;
    index += words.length;
    return true;
  };
  return {
    text,
    peek,
    is,
    take,
    accept,
    unexpected,
    expect(word: string): void {
      if (!accept(word)) throw unexpected();
    },
    path(): Path {
      const token = peek();
      if (token.kind !== 'word') throw unexpected();
      index += 1;
      return { names: token.text.split('.'), at: token.at };
    },
    integer(): number {
      const token = take();
      if (token.kind !== 'number' || !/^\d+$/.test(token.text)) {
        index -= 1;
        throw unexpected();
      }
      return Number(token.text);
    },
  };
}

function readQuery(reader: Reader): Query {
  reader.expect('SELECT');
  const query: Query = {
    text: reader.text,
    fields: [],
    children: [],
    isCount: reader.accept('COUNT', '(', ')'),
    from: '',
    fromAt: 0,
    where: undefined,
    orderBy: [],
    limit: undefined,
    offset: 0,
  };
  if (!query.isCount) readSelectList(reader, query);
  reader.expect('FROM');
  query.fromAt = reader.peek().at;
  query.from = reader.path().names.join('.');
  if (reader.accept('WHERE')) query.where = readOr(reader);
  reader.accept('WITH', 'SECURITY_ENFORCED');
  if (reader.accept('ORDER', 'BY')) readOrderBy(reader, query);
  if (reader.accept('LIMIT')) query.limit = reader.integer();
  if (reader.accept('OFFSET')) query.offset = reader.integer();
  return query;
}

function readSelectList(reader: Reader, query: Query): void {
  do {
    if (reader.accept('(')) {
      query.children.push(readQuery(reader));
      reader.expect(')');
    } else {
      query.fields.push(reader.path());
    }
  } while (reader.accept(','));
}

function readOrderBy(reader: Reader, query: Query): void {
  do {
    const path = reader.path();
    const descending = reader.accept('DESC');
    if (!descending) reader.accept('ASC');
    const nullsLast = reader.accept('NULLS', 'LAST');
    if (!nullsLast) reader.accept('NULLS', 'FIRST');
    query.orderBy.push({ path, descending, nullsLast });
  } while (reader.accept(','));
}

function readOr(reader: Reader): Condition {
  const parts = [readAnd(reader)];
  while (reader.accept('OR')) parts.push(readAnd(reader));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'or', parts };
}

function readAnd(reader: Reader): Condition {
  const parts = [readTerm(reader)];
  while (reader.accept('AND')) parts.push(readTerm(reader));
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind: 'and', parts };
}

function readTerm(reader: Reader): Condition {
  if (reader.accept('NOT')) return { kind: 'not', part: readTerm(reader) };
  if (reader.accept('(')) {
    const condition = readOr(reader);
    reader.expect(')');
    return condition;
  }
  const path = reader.path();
  const operator = readOperator(reader);
  if (!['IN', 'NOT IN', 'INCLUDES', 'EXCLUDES'].includes(operator)) {
    return { kind: 'compare', path, operator, values: [readLiteral(reader)] };
  }
  reader.expect('(');
  if (reader.is('SELECT')) {
    const subquery = readQuery(reader);
    reader.expect(')');
    return { kind: 'compare', path, operator, values: [], subquery };
  }
  const values = [readLiteral(reader)];
  while (reader.accept(',')) values.push(readLiteral(reader));
  reader.expect(')');
  return { kind: 'compare', path, operator, values };
}

function readOperator(reader: Reader): Operator {
  if (reader.accept('NOT', 'IN')) return 'NOT IN';
  for (const word of ['LIKE', 'IN', 'INCLUDES', 'EXCLUDES', '=', '!=', '<', '<=', '>', '>='] as const) {
    if (reader.accept(word)) return word;
  }
  if (reader.accept('<>')) return '!=';
  throw reader.unexpected();
}

function readLiteral(reader: Reader): Literal {
  const token = reader.take();
  switch (token.kind) {
    case 'string':
      return { kind: 'string', value: unquote(token.text) };
    case 'number':
      return { kind: 'number', value: Number(token.text) };
    case 'date':
      return { kind: 'date', value: token.text };
    case 'datetime':
      return { kind: 'datetime', value: parseDatetime(token.text.replace(/(\.\d{3})\d+/, '$1')) ?? null };
    case 'word':
      return wordLiteral(token.text, reader, token.at);
    default:
      throw malformedQuery(reader.text, token.at, `unexpected token: '${token.text}'`);
  }
}

function wordLiteral(word: string, reader: Reader, at: number): Literal {
  const upper = word.toUpperCase();
  if (upper === 'NULL') return { kind: 'null', value: null };
  if (upper === 'TRUE' || upper === 'FALSE') return { kind: 'boolean', value: upper === 'TRUE' };
  if (/^(?:TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_N_DAYS:\d+)$/.test(upper)) {
    return { kind: 'date_word', value: upper };
  }
  throw malformedQuery(reader.text, at, `unexpected token: '${word}'`);
}
