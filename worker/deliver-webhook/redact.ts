/** What is kept of an answer: enough to see what is wrong, never a page. */
export const RESPONSE_CHARS_KEPT = 1_000;

const SECRET_PAIR =
  /(["']?[\w-]*(?:authorization|password|passwd|secret|token|api[_-]?key|signature|cookie)[\w-]*["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|(?:Bearer |Basic )?[^\s,;&"'<>]+)/gi;
const SECRET_VALUE =
  /\bwhsec_[A-Za-z0-9+/=]+|\bv1,[A-Za-z0-9+/=]{20,}|\b(?:Bearer|Basic) [A-Za-z0-9._~+/=-]{8,}|\bformat=sha256,v=[0-9a-f]+/g;

/**
 * An answer as the delivery shows it. A receiver may echo what it was sent, or print its own configuration: whatever looks
 * like a secret, by its form or by its name, is masked.
 */
export function redactResponse(body: string): string {
  const masked = body.replaceAll(SECRET_VALUE, '***').replaceAll(SECRET_PAIR, '$1***');
  const printable = masked.replaceAll(/[^\P{C}\n\t]/gu, ' ');
  return printable.length > RESPONSE_CHARS_KEPT ? `${printable.slice(0, RESPONSE_CHARS_KEPT)}…` : printable;
}
