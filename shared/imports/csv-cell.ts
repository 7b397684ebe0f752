/** What makes a spreadsheet take a cell for a formula, in Latin and in full width. @see https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
/** Begins like a formula and is none, whatever separators its language has. */
const NUMBER = /^[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?$/;
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/**
 * A value as one cell. What a spreadsheet would run as a formula gets an apostrophe in front, which a spreadsheet hides;
 * numbers stay as they are.
 */
export function csvCell(value: string): string {
  const safe = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvLine(values: readonly string[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
