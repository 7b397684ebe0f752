import { z } from 'zod';
import { nearestKey, unifiedNameOf } from '../contract/nearest-key.ts';
import { BOUNDS, OpportunityInput, UNIFIED_FIELDS } from '../domain/opportunity.ts';

/** How the text of a cell becomes a value. */
export type CellType = 'text' | 'number' | 'boolean' | 'json';

/** A place in the unified body; a number is an index of a list. */
export type UnifiedPath = { steps: (string | number)[]; type: CellType };

/** Column or key that makes a row at most once; it is no part of the body. */
export const DEDUPE_KEY = 'dedupe_key';

/** Behind the name of a field whose type only the provider knows: `custom_fields.Score__c:number`. */
const TYPE_SUFFIX = /:(text|number|boolean|json)$/;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** The place a dotted path names (`stage.name`, `contact.0.id`, `custom_fields.Foo__c`), or undefined. */
export function parseUnifiedPath(path: string): UnifiedPath | undefined {
  const suffix = TYPE_SUFFIX.exec(path);
  const [root = '', ...rest] = (suffix ? path.slice(0, suffix.index) : path).split('.');
  if (rest.some((step) => step === '' || FORBIDDEN.has(step))) return undefined;
  const open = openRootOf(root);
  if (open) {
    // The key of a custom field may have dots of its own; what is passed on untouched may be nested.
    const steps = open === 'flat' ? [rest.join('.')] : rest;
    const isNamed = rest.length > 0 && steps.every((step) => step.length <= BOUNDS.idCharsMax);
    if (!isNamed || steps.length >= BOUNDS.remoteDataDepthMax) return undefined;
    // One of the four words of the pattern.
    return { steps: [root, ...steps], type: (suffix?.[1] ?? 'text') as CellType };
  }
  return suffix ? undefined : walk(OpportunityInput, [root, ...rest], []);
}

function openRootOf(root: string): 'flat' | 'nested' | undefined {
  if (root === 'custom_fields') return 'flat';
  return root === 'remote_data' ? 'nested' : undefined;
}

/** Follows the schema of a create, so that a field added there is a column here. */
function walk(schema: unknown, parts: string[], steps: UnifiedPath['steps']): UnifiedPath | undefined {
  if (schema instanceof z.ZodOptional) return walk(schema.unwrap(), parts, steps);
  const [part, ...rest] = parts;
  if (part === undefined) return leafType(schema, steps);
  if (schema instanceof z.ZodArray) {
    const isIndex = /^(0|[1-9]\d?)$/.test(part);
    return isIndex ? walk(schema.element, rest, [...steps, Number(part)]) : undefined;
  }
  if (!(schema instanceof z.ZodObject)) return undefined;
  const shape: Record<string, unknown> = schema.shape;
  return Object.hasOwn(shape, part) ? walk(shape[part], rest, [...steps, part]) : undefined;
}

function leafType(schema: unknown, steps: UnifiedPath['steps']): UnifiedPath | undefined {
  if (schema instanceof z.ZodString) return { steps, type: 'text' };
  return schema instanceof z.ZodNumber ? { steps, type: 'number' } : undefined;
}

/** Every path with a name of its own, as columns are called. */
const PATHS: readonly string[] = [...UNIFIED_FIELDS.flatMap((field) => pathsUnder(field)), DEDUPE_KEY];

/** Where a field has parts, the one people mean comes first. */
function pathsUnder(field: string): string[] {
  const candidates = [field, `${field}.name`, `${field}.id`, `${field}.0.name`, `${field}.0.id`];
  return openRootOf(field) ? [] : candidates.filter((path) => parseUnifiedPath(path) !== undefined);
}

/** The path a column's name was probably meant to be, or undefined. */
export function nearestPath(name: string): string | undefined {
  const word = name.trim().toLowerCase();
  const provider = unifiedNameOf(word) ?? unifiedNameOf(word.replaceAll(/[\s_-]+/g, ''));
  const named = provider ?? unifiedNameOf(word.replaceAll(/[\s-]+/g, '_'));
  if (named === 'custom_fields' || named === 'remote_data') return `${named}.NAME`;
  if (named !== undefined) return named.replace('[]', '.0');
  if (openRootOf(word)) return `${word}.NAME`;
  if (/^\w+__c$/i.test(name.trim()) || /^cf_\w+$/.test(word)) return `custom_fields.${name.trim()}`;
  const underRoot = PATHS.find(
    (path) => /^([a-z]+)\./.exec(path)?.[1]?.replace(/s$/, '') === word.replace(/s$/, ''),
  );
  return underRoot ?? nearestKey(word, PATHS);
}
