/** Plain JSON object. */
type JsonObject = Record<string, unknown>;

export type MergeOptions = {
  /**
   * Places `remote_data` may not touch, each as a list of keys from the top (`[['opportunity', 'note']]`):
   * the write marker. Neither they nor anything above them can be replaced by something that is no object.
   */
  protectedPaths?: readonly (readonly string[])[];
  /** True where the provider ignores the case of field names (Salesforce): `stagename` then replaces `StageName`. */
  caseInsensitive?: boolean;
};

export type MergeResult = {
  body: JsonObject;
  /** JSON pointers into our body (`/remote_data/…`) of what was left out because it is protected. */
  refused: string[];
};

/** Names that would reach an object's prototype instead of its data. */
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** One step of a JSON pointer, escaped. @see https://www.rfc-editor.org/rfc/rfc6901#section-3 */
export function pointerSegment(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Whether `value` is an object with keys: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The key of `object` that names the same field as `key`, or undefined. */
export function findKey(object: JsonObject, key: string, caseInsensitive: boolean): string | undefined {
  if (Object.hasOwn(object, key)) return key;
  if (!caseInsensitive) return undefined;
  const wanted = key.toLowerCase();
  return Object.keys(object).find((candidate) => candidate.toLowerCase() === wanted);
}

/**
 * The provider's body with the caller's `remote_data` merged over it: objects key by key, everything else
 * (arrays and null included) replaces. It wins over every mapped value, save the protected paths.
 * Neither argument is changed; prototype keys are skipped.
 */
export function mergeRemoteData(
  body: JsonObject,
  remoteData: JsonObject | undefined,
  options: MergeOptions = {},
): MergeResult {
  const refused: string[] = [];
  if (remoteData === undefined) return { body, refused };
  const caseInsensitive = options.caseInsensitive ?? false;
  const merged = mergeLevel(body, remoteData, {
    caseInsensitive,
    protectedBelow: options.protectedPaths ?? [],
    pointer: '/remote_data',
    refused,
  });
  return { body: merged, refused };
}

type Level = {
  caseInsensitive: boolean;
  /** Protected paths, relative to this level. */
  protectedBelow: readonly (readonly string[])[];
  pointer: string;
  refused: string[];
};

function mergeLevel(base: JsonObject, over: JsonObject, level: Level): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (PROTOTYPE_KEYS.has(key)) continue;
    const pointer = `${level.pointer}/${pointerSegment(key)}`;
    const below = level.protectedBelow
      .filter(([first]) => first !== undefined && isSameKey(first, key, level.caseInsensitive))
      .map((path) => path.slice(1));
    if (below.some((rest) => rest.length === 0) || (below.length > 0 && !isJsonObject(value))) {
      level.refused.push(pointer);
      continue;
    }
    const present = findKey(merged, key, level.caseInsensitive);
    const under = present === undefined ? undefined : merged[present];
    // The caller's spelling of the key stays: remote_data is passed on untransformed.
    if (present !== undefined && present !== key) delete merged[present];
    merged[key] = isJsonObject(value)
      ? mergeLevel(isJsonObject(under) ? under : {}, value, { ...level, protectedBelow: below, pointer })
      : value;
  }
  return merged;
}

function isSameKey(left: string, right: string, caseInsensitive: boolean): boolean {
  return left === right || (caseInsensitive && left.toLowerCase() === right.toLowerCase());
}
