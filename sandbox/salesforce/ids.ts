// The case suffix: five characters make one of 32 letters, each upper-case character setting one bit.
const suffixAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const idPattern = /^[0-9A-Za-z]{15}(?:[0-9A-Z]{3})?$/i;

/**
 * The case-safe 18-character form of a 15-character id.
 * Source: Salesforce "Object Reference", Field Types, ID Field Type.
 */
export function toLongId(shortId: string): string {
  let suffix = '';
  for (let group = 0; group < 15; group += 5) {
    let bits = 0;
    for (let index = 0; index < 5; index += 1) {
      const code = shortId.charCodeAt(group + index);
      if (code >= 65 && code <= 90) bits |= 1 << index;
    }
    suffix += suffixAlphabet[bits];
  }
  return shortId + suffix;
}

/** The 18-character form of an id given in either form; undefined for anything else. */
export function findLongId(text: string): string | undefined {
  if (!idPattern.test(text)) return undefined;
  const longId = toLongId(text.slice(0, 15));
  // The 15-character form is case-sensitive, the long one must carry the suffix of exactly its letters.
  return text.length === 15 || text === longId ? longId : undefined;
}

export function toShortId(id: string): string {
  return id.slice(0, 15);
}

/** The id of the `number`th record of an object: key prefix, pod, then a counter in base 62. */
export function makeId(keyPrefix: string, number: number): string {
  let digits = '';
  for (let rest = number; rest > 0; rest = Math.floor(rest / 62)) digits = `${base62[rest % 62]}${digits}`;
  return toLongId(`${keyPrefix}Dw0${digits.padStart(9, '0')}`);
}
