/** Where a record that is no object stands. */
const WHOLE = 'record';

/**
 * The values of a JSON record by dotted path, as the text of a cell: numbers as they were written, null as an empty one.
 * A record that is no object stands under `record`.
 */
export function flattenJson(text: string): Map<string, string> {
  const keepSource = (_: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  const values = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) values.set(path, String(value ?? ''));
    else if (Object.keys(value).length === 0) values.set(path, JSON.stringify(value));
    else for (const [key, child] of Object.entries(value)) visit(child, `${path}.${key}`);
  };
  const record: unknown = JSON.parse(text, keepSource);
  const isObject = typeof record === 'object' && record !== null && !Array.isArray(record);
  if (!isObject) return values.set(WHOLE, typeof record === 'string' ? record : text);
  for (const [key, value] of Object.entries(record)) visit(value, key);
  return values;
}
