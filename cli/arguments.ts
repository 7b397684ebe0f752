import { parseArgs } from 'node:util';

export const USAGE = `Imports opportunities from a file through a running Dealwright.

  npm run import -- FILE --account ID [options]     FILE may be - for standard input
  npm run import -- --attach IMPORT_ID [options]    follows an import that is under way

What to import
  --account ID            integrated account to write to
  --format FORMAT         csv, ndjson or json; else told by the file's name or first byte (.gz is fine)
  --mapping FILE|JSON     column to unified path: '{"Deal":"name","Lead":"account.id","Notes":null}'
  --dry-run               checks every row; nothing is stored or sent
  --strategy STRATEGY     auto, single, collections or bulk
  --max-errors N          failed rows after which no further row is begun
  --on-unsupported MODE   reject, warn or ignore fields the provider has no place for
  --idempotency-key KEY   the same key and file give the same import, never a second one

What to see
  --no-watch              ends once the file is accepted and prints the id of the import
  --results OUT           writes every row with its result to OUT: CSV if it ends in .csv, else NDJSON; - for standard output
  --only STATUSES         results of these statuses only, as failed,needs_review

Where Dealwright is
  --url URL               else DEALWRIGHT_URL, else http://127.0.0.1:PORT
  --token TOKEN           else DEALWRIGHT_TOKEN, else, for this machine only, the token npm start made

Ends with 0 if every row succeeded or is a duplicate, 1 if some did not, 2 if the import was refused or never reached,
130 after Ctrl-C, which leaves the import running.`;

const STRATEGIES = ['auto', 'single', 'collections', 'bulk'];
const MODES = ['reject', 'warn', 'ignore'];
const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'needs_review', 'cancelled', 'duplicate'];
const FORMATS = ['csv', 'ndjson', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export type Work =
  | { kind: 'attach'; importId: string }
  | {
      kind: 'import';
      file: string;
      account: string;
      format?: Format;
      mapping?: string;
      dryRun: boolean;
      strategy?: string;
      maxErrors?: number;
      onUnsupported?: string;
      idempotencyKey?: string;
    };

export type Arguments = {
  work: Work;
  watch: boolean;
  results?: string;
  only?: string;
  url?: string;
  token?: string;
};

export type ParsedArguments =
  | { ok: true; value: Arguments }
  | { ok: false; message: string }
  | { ok: 'help' };

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

/** Reads the command line. Pure. */
export function parseArguments(argv: string[]): ParsedArguments {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (err) {
    return { ok: false, message: err instanceof Error ? err.message : String(err) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { ok: 'help' };
  const message = findMistake(values, positionals);
  if (message !== undefined) return { ok: false, message };
  const { watch, results, only, url, token } = values;
  return {
    ok: true,
    value: { work: workOf(values, positionals[0] ?? ''), watch: watch ?? true, results, only, url, token },
  };
}

function parse(argv: string[]) {
  return parseArgs({
    args: argv,
    allowPositionals: true,
    allowNegative: true,
    options: {
      account: text,
      attach: text,
      format: text,
      mapping: text,
      'dry-run': flag,
      strategy: text,
      'max-errors': text,
      'on-unsupported': text,
      'idempotency-key': text,
      watch: flag,
      results: text,
      only: text,
      url: text,
      token: text,
      help: { type: 'boolean', short: 'h' },
    },
  });
}

type Values = ReturnType<typeof parse>['values'];

function findMistake(values: Values, files: string[]): string | undefined {
  const { attach, account, strategy, format, only, results } = values;
  if (attach !== undefined && (files.length > 0 || account !== undefined)) {
    return '--attach follows an import that exists; it takes no file and no --account';
  }
  const idle = attach === undefined ? undefined : OF_UPLOADS.find((name) => values[name] !== undefined);
  if (idle) return `--attach follows an import that exists; it takes no --${idle}`;
  if (attach === undefined) {
    if (files.length === 0) return 'name the file to import, or - for standard input';
    if (files.length > 1) return `one file at a time, not ${files.length}: ${files.join(', ')}`;
    if (account === undefined) return '--account is required: the id of the integrated account to write to';
  }
  if (strategy !== undefined && !STRATEGIES.includes(strategy)) return oneOf('--strategy', STRATEGIES);
  if (values['on-unsupported'] !== undefined && !MODES.includes(values['on-unsupported']))
    return oneOf('--on-unsupported', MODES);
  if (format !== undefined && !isFormat(format)) return oneOf('--format', FORMATS);
  if (values['max-errors'] !== undefined && !/^[1-9]\d{0,8}$/.test(values['max-errors']))
    return '--max-errors must be a whole number of 1 or more';
  const status = only?.split(',').find((one) => !STATUSES.includes(one.trim()));
  if (status !== undefined) return `${oneOf('--only', STATUSES)}, or several with commas; it has "${status}"`;
  if (only !== undefined && results === undefined) return '--only says which rows --results writes';
  if (results !== undefined && (values.watch === false || values['dry-run']))
    return '--results needs the import to be waited for';
  return undefined;
}

/** What says how a file is imported. */
const OF_UPLOADS = [
  'format',
  'mapping',
  'dry-run',
  'strategy',
  'max-errors',
  'on-unsupported',
  'idempotency-key',
] as const;

const oneOf = (option: string, words: readonly string[]) => `${option} must be one of ${words.join(', ')}`;

function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text);
}

function workOf(values: Values, file: string): Work {
  if (values.attach !== undefined) return { kind: 'attach', importId: values.attach };
  const { account = '', format, mapping, strategy } = values;
  return {
    kind: 'import',
    file,
    account,
    format: format !== undefined && isFormat(format) ? format : undefined,
    mapping,
    dryRun: values['dry-run'] ?? false,
    strategy,
    maxErrors: values['max-errors'] === undefined ? undefined : Number(values['max-errors']),
    onUnsupported: values['on-unsupported'],
    idempotencyKey: values['idempotency-key'],
  };
}
