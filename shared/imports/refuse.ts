import { AppError } from '../app-error.ts';
import type { FieldFailure } from '../domain/failure.ts';

/** What spoils the whole import: nothing of it is kept. */
export function invalidImport(message: string, failures?: FieldFailure[], cause?: unknown): AppError {
  return new AppError('invalid_import', message, { failures, cause });
}

export function importTooLarge(message: string): AppError {
  return new AppError('import_too_large', message);
}

/** A record that does not end within the limit; in a CSV an open quote is the usual reason. */
export function rowTooLarge(row: number, line: number, rowBytesMax: number): AppError {
  const where = row === 0 ? 'The header' : `Row ${row}`;
  return importTooLarge(
    `${where}, which starts on line ${line}, is larger than ${rowBytesMax} bytes. Is a quote opened there and not closed?`,
  );
}
