import type { Warning } from '../domain/failure.ts';
import type { ImportWarning } from '../domain/import.ts';

/** Kinds that are kept: a code and the field it is about. */
const KINDS_MAX = 50;

/**
 * What is said of an import's rows, counted by kind. A row keeps no warnings of its own: a million of them may say the same.
 * A message is the one of the first row.
 */
export function createWarningCount() {
  const kinds = new Map<string, ImportWarning>();
  return {
    add(row: number, warnings: readonly Warning[]): void {
      const seen = new Set<string>();
      for (const { code, pointer, message } of warnings) {
        const field = pointer === undefined ? undefined : `/${pointer.split('/')[1]}`;
        const kind = `${code} ${field ?? ''}`;
        const known = kinds.get(kind);
        // Several entries of one list (the third contact, the fourth) are one row.
        if (known && !seen.has(kind)) known.rows += 1;
        else if (!known && kinds.size < KINDS_MAX)
          kinds.set(kind, {
            code,
            ...(field === undefined ? {} : { pointer: field }),
            message,
            rows: 1,
            first_row: row,
          });
        seen.add(kind);
      }
    },
    list: (): ImportWarning[] => [...kinds.values()],
  };
}
