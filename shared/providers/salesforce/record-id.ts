/**
 * Salesforce record ids: 15 case-sensitive characters, or 18 with a suffix that survives case folding.
 * @see https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
 */

/** First three characters of the ids this connector handles. */
export const KEY_PREFIXES = {
  account: '001',
  contact: '003',
  user: '005',
  opportunity: '006',
} as const;

const SHAPE = /^(?:[A-Za-z0-9]{15}|[A-Za-z0-9]{18})$/;
const SUFFIX_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** The three characters that follow a 15-character id: one per five characters, a bit for each capital letter. */
function suffixOf(id15: string): string {
  return [0, 5, 10]
    .map((start) => {
      const chunk = id15.slice(start, start + 5);
      const bits = [...chunk].reduce(
        (sum, char, index) => (char >= 'A' && char <= 'Z' ? sum | (1 << index) : sum),
        0,
      );
      return SUFFIX_ALPHABET[bits] ?? '';
    })
    .join('');
}

/** The 18-character form of an id; anything that is no 15-character id is returned as it is. */
export function toId18(id: string): string {
  return id.length === 15 && SHAPE.test(id) ? id + suffixOf(id) : id;
}

/** Whether two ids name the same record: only the first 15 characters count. */
export function isSameId(left: string, right: string): boolean {
  return left.slice(0, 15) === right.slice(0, 15);
}

/** What is wrong with an id of the object `prefix` stands for, as the rest of a sentence; undefined if nothing is. */
export function findIdFault(id: string, prefix: string, label: string): string | undefined {
  if (!SHAPE.test(id)) return `must be a Salesforce ${label} id of 15 or 18 letters and digits`;
  if (!id.startsWith(prefix)) {
    return `must be a Salesforce ${label} id, which starts with ${prefix}; this one starts with ${id.slice(0, 3)}`;
  }
  if (id.length === 18 && suffixOf(id.slice(0, 15)) !== id.slice(15)) {
    return `is no valid Salesforce ${label} id: its last three characters do not fit the others (was its case changed?)`;
  }
  return undefined;
}
