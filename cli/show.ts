import { type DryRunReport, doneRows, type ImportState } from './import-state.ts';

const BAR_CELLS = 24;

/** `share` from 0 to 1. */
function bar(share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return `${'█'.repeat(full)}${'░'.repeat(BAR_CELLS - full)}`;
}

export const count = (n: number) => n.toLocaleString('en-US');

export function bytes(n: number): string {
  if (n < 1_000) return `${Math.round(n)} B`;
  return n < 1_000_000 ? `${(n / 1_000).toFixed(1)} kB` : `${(n / 1_000_000).toFixed(1)} MB`;
}

/** As 4:05, or 1:04:05. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

export type UploadProgress = { sentBytes: number; sizeBytes: number | undefined; elapsedMs: number };

/** `upload  ███░░  60 %  12.0 of 20.0 MB  8.1 MB/s  0:01 left`; without a size, what is known. */
export function uploadLine({ sentBytes, sizeBytes, elapsedMs }: UploadProgress, isBar: boolean): string {
  const perSecond = elapsedMs < 1 ? 0 : (sentBytes / elapsedMs) * 1_000;
  const rate = perSecond > 0 ? `  ${bytes(perSecond)}/s` : '';
  if (sizeBytes === undefined) return `upload  ${bytes(sentBytes)}${rate}`;
  const share = sizeBytes === 0 ? 1 : Math.min(1, sentBytes / sizeBytes);
  const left = perSecond > 0 && share < 1 ? `  ${duration((sizeBytes - sentBytes) / perSecond)} left` : '';
  return `upload  ${percent(share, isBar)}  ${bytes(sentBytes)} of ${bytes(sizeBytes)}${rate}${left}`;
}

/** `running  ███░░  41 %  4,100 of 10,000 rows  39.4/s  2:30 left  4,080 succeeded, 20 failed`. */
export function workLine(state: ImportState, isBar: boolean): string {
  const { counts, rows_per_second, eta_seconds, status } = state;
  const done = doneRows(state);
  const share = counts.total === 0 ? 0 : done / counts.total;
  const rate = rows_per_second ? `  ${rows_per_second.toFixed(1)}/s` : '';
  const left = eta_seconds ? `  ${duration(eta_seconds)} left` : '';
  return `${status}  ${percent(share, isBar)}  ${count(done)} of ${count(counts.total)} rows${rate}${left}  ${countsText(state)}`;
}

function percent(share: number, isBar: boolean): string {
  // Never 100 % before it is all.
  const shown = `${Math.floor(share * 100)} %`;
  return isBar ? `${bar(share)}  ${shown}` : shown;
}

const WORDS = [
  ['succeeded', 'succeeded'],
  ['duplicate', 'duplicate'],
  ['failed', 'failed'],
  ['needs_review', 'to review'],
  ['cancelled', 'cancelled'],
  ['running', 'running'],
  ['queued', 'queued'],
] as const;

/** `4,080 succeeded, 20 failed`: what there is none of is not mentioned. */
function countsText({ counts }: ImportState): string {
  const shown = WORDS.filter(([status]) => counts[status] > 0);
  return shown.map(([status, word]) => `${count(counts[status])} ${word}`).join(', ');
}

const rowsText = (n: number) => `${count(n)} ${n === 1 ? 'row' : 'rows'}`;

/** The last word on an import. */
export function summary(state: ImportState): string {
  const why = state.error ? `\n${state.error.message} (${state.error.code})` : '';
  const said = state.warnings.map(({ code, message, rows }) => `\n${rowsText(rows)}: ${message} (${code})`);
  return `Import ${state.id} ${state.status}: ${rowsText(state.counts.total)}, ${countsText(state)}.${why}${said.join('')}`;
}

const SHOWN_MAX = 20;

/** What a dry run found. */
export function reportText({ counts, errors, warnings_by_code }: DryRunReport): string {
  const shown = errors
    .slice(0, SHOWN_MAX)
    .flatMap(({ row, line, failures }) =>
      failures.map(
        ({ pointer, message }) =>
          `  row ${row} (line ${line}): ${pointer === '' ? '' : `${pointer} `}${message}`,
      ),
    );
  const warnings = Object.entries(warnings_by_code).map(([code, n]) => `  ${rowsText(n)}: warning ${code}`);
  const more = counts.failed > SHOWN_MAX ? [`  and ${count(counts.failed - SHOWN_MAX)} more`] : [];
  const head = `Dry run: ${rowsText(counts.total)}, ${count(counts.valid)} could be written, ${count(counts.failed)} could not.`;
  return [head, ...shown, ...more, ...warnings].join('\n');
}
