import { fail, type MappingNotes } from '../mapping-notes.ts';

/** Capsule's ids are whole numbers in JSON. */
export function toId(
  text: string | undefined,
  pointer: string,
  what: string,
  notes: MappingNotes,
): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return fail(
    notes,
    pointer,
    'invalid_body',
    `must be the id of a ${what} in Capsule, a whole number as "4711"`,
  );
}
