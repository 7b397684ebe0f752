import { isPlainObject } from '../write/parse.ts';

export type Resolved = { value: unknown } | { missing: string };

const reference = /@\{([^}]+)\}/g;
const wholeReference = /^@\{([^}]+)\}$/;

/**
 * Replaces `@{ref.field}` in a URL or body by what the named part answered. Names are case-sensitive:
 * `@{opp.id}` after a create, `.Id` is an error. Source: REST API, Composite Request Body.
 */
export function resolveReferences(template: unknown, answers: ReadonlyMap<string, unknown>): Resolved {
  if (typeof template === 'string') return resolveText(template, answers);
  if (Array.isArray(template)) {
    const values: unknown[] = [];
    for (const item of template) {
      const resolved = resolveReferences(item, answers);
      if ('missing' in resolved) return resolved;
      values.push(resolved.value);
    }
    return { value: values };
  }
  if (!isPlainObject(template)) return { value: template };
  const values: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(template)) {
    const resolved = resolveReferences(item, answers);
    if ('missing' in resolved) return resolved;
    values[key] = resolved.value;
  }
  return { value: values };
}

function resolveText(text: string, answers: ReadonlyMap<string, unknown>): Resolved {
  const whole = wholeReference.exec(text);
  if (whole?.[1] !== undefined) {
    const value = lookUp(whole[1], answers);
    return value === undefined ? { missing: whole[1] } : { value };
  }
  let missing: string | undefined;
  const value = text.replace(reference, (_, path: string) => {
    const found = lookUp(path, answers);
    if (found === undefined) missing = path;
    return String(found);
  });
  return missing === undefined ? { value } : { missing };
}

/** `opp.id`, `query.records[0].Id` */
function lookUp(path: string, answers: ReadonlyMap<string, unknown>): unknown {
  const [name = '', ...steps] = path.replace(/\[(\d+)\]/g, '.$1').split('.');
  let current: unknown = answers.get(name);
  for (const step of steps) {
    if (Array.isArray(current)) current = current[Number(step)];
    else current = isPlainObject(current) ? current[step] : undefined;
  }
  // A double is kept as the text it is sent as.
  return isPlainObject(current) && typeof current.rawJSON === 'string' ? Number(current.rawJSON) : current;
}

export function findReferences(template: unknown): string[] {
  const names: string[] = [];
  for (const match of (JSON.stringify(template) ?? '').matchAll(reference)) {
    names.push((match[1] ?? '').split(/[.[]/)[0] ?? '');
  }
  return names;
}
