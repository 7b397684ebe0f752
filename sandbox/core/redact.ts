const secretName = /secret|token|password|assertion|api_?key|authorization/i;

/** The kind of credential and enough of it to tell two apart, never the whole. */
export function maskCredential(authorization: string): string {
  if (authorization === '') return '';
  const space = authorization.indexOf(' ');
  const scheme = space === -1 ? '' : `${authorization.slice(0, space)} `;
  return `${scheme}…${authorization.slice(-4)}`;
}

/** A body fit for the call log: secrets masked, cut to `charsMax`. */
export function redactBody(raw: Buffer, mediaType: string, charsMax: number): string | undefined {
  if (raw.length === 0) return undefined;
  const text = raw.toString('utf8', 0, Math.min(raw.length, charsMax));
  if (mediaType === 'application/x-www-form-urlencoded') {
    return text.replace(/([^&=]+)=([^&]*)/g, (pair, name: string) =>
      secretName.test(name) ? `${name}=***` : pair,
    );
  }
  if (mediaType.includes('json')) {
    return text.replace(/"([^"\\]{1,60})"(\s*:\s*)"(?:[^"\\]|\\.)*"/g, (pair, name: string, colon: string) =>
      secretName.test(name) ? `"${name}"${colon}"***"` : pair,
    );
  }
  return text;
}
