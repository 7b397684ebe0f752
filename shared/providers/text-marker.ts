/**
 * The write marker as text: one short line at the very end of a note or description, set apart by a blank
 * line, so that a person can ignore it and we can cut it off again.
 */

/** The line for one marker value (a job's id, possibly with a row after it). */
export function markerToken(value: string): string {
  return `[ref:${value}]`;
}

/** Only what we write ourselves: a uuid, perhaps followed by a row. A person's own "[ref:42]" stays. */
const AT_END = /(?:\n\n)?\[ref:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:[.:/#-][\w.-]{1,40})?\]\s*$/;

export function appendMarker(text: string | undefined, value: string): string {
  const token = markerToken(value);
  return text === undefined || text === '' ? token : `${text}\n\n${token}`;
}

export function stripMarker(text: string): string {
  return text.replace(AT_END, '');
}

/** Whether the text carries exactly this marker, wherever a person may have moved the line to. */
export function hasMarker(text: unknown, value: string): boolean {
  return typeof text === 'string' && text.includes(markerToken(value));
}

/** Text as it can be compared after a round trip: line ends and outer white space are the provider's affair. */
export function normaliseText(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n').trim();
}
