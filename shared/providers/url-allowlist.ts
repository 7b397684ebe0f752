/**
 * Where an account may point: the patterns of `PROVIDER_URL_ALLOWLIST`, or the vendors' hosts. Checked when
 * credentials are saved and again at every call, since a token answer may move an account (`instance_url`).
 */

const PATTERN = /^(https?):\/\/(\[[0-9a-f:]+\]|[a-z0-9*._-]+)(?::(\d{1,5}|\*))?\/?$/;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Whether a pattern is one: a scheme, a host with `*` for labels, perhaps a port. */
export const isOriginPattern = (text: string): boolean => PATTERN.test(text.trim().toLowerCase());

/**
 * Whether `url` lies at an allowed origin. In a pattern `*` stands for exactly one label of the host, or for any port;
 * without a port only the scheme's own is allowed. The scheme must be the same, and a URL with user information is
 * refused. A pattern that does not parse allows nothing.
 */
export function isUrlAllowed(url: string, patterns: readonly string[]): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && createUrlAllowlist(patterns)(parsed);
}

/** As {@link isUrlAllowed}, for many URLs. */
export function createUrlAllowlist(patterns: readonly string[]): (url: URL) => boolean {
  const allowed = patterns.flatMap((pattern) => {
    const [, scheme = '', host, port] = PATTERN.exec(pattern.trim().toLowerCase()) ?? [];
    return host === undefined ? [] : [{ scheme, host, port }];
  });
  return ({ protocol, hostname, port, username, password }) => {
    if (username !== '' || password !== '') return false;
    const scheme = protocol.slice(0, -1);
    return allowed.some(
      (pattern) =>
        pattern.scheme === scheme &&
        isPortAllowed(pattern.port, port || DEFAULT_PORTS[scheme], scheme) &&
        isHostAllowed(pattern.host, hostname),
    );
  };
}

function isPortAllowed(pattern: string | undefined, port: string | undefined, scheme: string): boolean {
  return pattern === '*' || (pattern ?? DEFAULT_PORTS[scheme]) === port;
}

function isHostAllowed(pattern: string, hostname: string): boolean {
  const wanted = pattern.split('.');
  const given = hostname.split('.');
  // An empty label (a trailing dot) matches nothing, not even `*`.
  return (
    wanted.length === given.length &&
    wanted.every((label, i) => (label === '*' ? given[i] !== '' : label === given[i]))
  );
}
