import { appendMarker, normaliseText, stripMarker } from '../text-marker.ts';

/**
 * Close has no title and no description, only a note. We write the name as its first line and the description
 * after a blank line; reading undoes that.
 * @see https://developer.close.com/api/resources/opportunities/create
 */

const LINE_BREAK = /\r\n|[\n\r\u2028\u2029]/;

/** The name as one line; `changed` when it had line breaks, which would read back as a description. */
export function toFirstLine(name: string): { line: string; changed: boolean } {
  const line = name.split(LINE_BREAK).join(' ');
  return { line, changed: line !== name };
}

export function composeNote(name: string | undefined, description: string | undefined): string | undefined {
  if (description === undefined || description === '') return name;
  return name === undefined ? description : `${name}\n\n${description}`;
}

/** The note with the marker as its last line. */
export function noteWithMarker(note: unknown, marker: string): string {
  return appendMarker(typeof note === 'string' ? note : undefined, marker);
}

export function readNote(note: string | null | undefined): {
  name: string | null;
  description: string | null;
} {
  const text = stripMarker(note ?? '').replaceAll('\r\n', '\n');
  const end = text.indexOf('\n');
  const name = (end < 0 ? text : text.slice(0, end)).trim();
  const rest = end < 0 ? '' : text.slice(end + 1).replace(/^\n/, '');
  return { name: name || null, description: rest.trim() === '' ? null : rest };
}

/** The note as it is compared: without marker, line ends and outer white space apart. */
export function comparableNote(note: unknown): string | null {
  if (typeof note !== 'string') return null;
  return normaliseText(stripMarker(note)) || null;
}
