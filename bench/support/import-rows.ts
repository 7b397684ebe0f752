import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

export type ImportFormat = 'ndjson' | 'csv';

const COMPANIES = [
  'Northwind',
  'Contoso',
  'Fabrikam',
  'Adatum',
  'Litware',
  'Proseware',
  'Tailspin',
  'Wingtip',
];
const PRODUCTS = ['platform licence', 'support plan', 'data migration', 'training days', 'field devices'];
const REGIONS = ['north', 'south', 'east', 'west', 'overseas'];
const STAGES = ['Prospecting', 'Qualification', 'Needs Analysis', 'Negotiation/Review'];
const COLUMNS = ['name', 'stage.name', 'close_date', 'amount', 'description'] as const;

export type RowsOptions = {
  /** Begins every name, so that the records of one run are told from others. */
  label: string;
  count: number;
  /** A `dedupe_key` of its own for each row. */
  keys?: boolean;
  /** Every so many rows one has a date that does not exist. */
  badEvery?: number;
};

/** What no compressor can guess, as the ids in a real export: the same for the same row. */
function reference(label: string, row: number): string {
  return createHash('sha256').update(`${label} ${row}`).digest('base64url').slice(0, 10);
}

const pick = (from: readonly string[], by: number) => from[by % from.length] ?? '';

/** One deal of an export, about 230 bytes as JSON; every name is another one. */
function dealOf({ label, keys, badEvery }: RowsOptions, row: number) {
  const own = reference(label, row);
  const by = own.charCodeAt(0) * 64 + own.charCodeAt(1);
  const two = (n: number) => String(n).padStart(2, '0');
  const isBad = badEvery !== undefined && row % badEvery === 0;
  return {
    name: `${label} #${row}# ${pick(COMPANIES, by)} ${pick(PRODUCTS, by >> 3)} ${own}`,
    stage: pick(STAGES, by >> 5),
    closeDate: isBad ? '2027-02-30' : `2027-${two(1 + (by % 12))}-${two(1 + ((by >> 2) % 28))}`,
    amount: 500 + ((by * 7_919 + row) % 250_000) + (row % 100) / 100,
    description: `Renewal for region ${pick(REGIONS, by >> 1)}, quote Q-${reference(label, -row)}, ${by % 36} months`,
    key: keys ? `crm-${label}-${row}` : undefined,
  };
}

function lineOf(format: ImportFormat, options: RowsOptions, row: number): string {
  const { name, stage, closeDate, amount, description, key } = dealOf(options, row);
  if (format === 'csv') {
    const cells = [name, stage, closeDate, String(amount), `"${description}"`];
    return (key === undefined ? cells : [...cells, key]).join(',');
  }
  return JSON.stringify({
    ...{ name, stage: { name: stage }, close_date: closeDate, amount, description },
    ...(key === undefined ? {} : { dedupe_key: key }),
  });
}

/** Writes an import's file, so that making it is no part of what is measured. */
export async function writeRows(path: string, format: ImportFormat, options: RowsOptions): Promise<void> {
  const file = createWriteStream(path);
  if (format === 'csv') file.write(`${[...COLUMNS, ...(options.keys ? ['dedupe_key'] : [])].join(',')}\n`);
  for (let row = 1; row <= options.count; row += 1_000) {
    const rows = Math.min(1_000, options.count - row + 1);
    const text = Array.from({ length: rows }, (_, i) => `${lineOf(format, options, row + i)}\n`).join('');
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}
