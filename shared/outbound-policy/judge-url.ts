import { isIP } from 'node:net';
import { judgeAddress } from './judge-address.ts';

/** Where requests on somebody else's behalf may go. */
export type OutboundPolicy = {
  /** Opens loopback and private addresses, plain http and every port: development only. */
  allowPrivate: boolean;
  ports: readonly number[];
};

export type JudgedUrl = { ok: true; url: URL } | { ok: false; reason: string };

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };
/** Names that never lead to a public server, whatever a resolver says. */
const LOCAL_NAME = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home\.arpa|onion)$/;
const URL_CHARS_MAX = 2_000;

/**
 * What can be told of a URL without asking a resolver: scheme, user information, port, the form of its host, and its address
 * if it names one. Names are judged again by their addresses; see resolve-checked.ts.
 */
export function judgeUrl(text: string, policy: OutboundPolicy): JudgedUrl {
  if (text.length > URL_CHARS_MAX) return refused(`it is longer than ${URL_CHARS_MAX} characters`);
  // The parser would drop or turn these silently: what is checked must be what was written.
  if (/[\s\\]|[^\x21-\x7e]/.test(text))
    return refused('it holds blanks, backslashes or characters beyond ASCII');
  const url = URL.parse(text);
  if (!url) return refused('it is not an absolute URL');
  if (url.protocol !== 'https:' && !(policy.allowPrivate && url.protocol === 'http:'))
    return refused('it must use https');
  if (url.username !== '' || url.password !== '' || authorityOf(text).includes('@'))
    return refused('it holds user information');
  const reason = judgePort(url, policy) ?? judgeHost(url, authorityOf(text), policy);
  return reason === undefined ? { ok: true, url } : refused(reason);
}

const refused = (reason: string): JudgedUrl => ({ ok: false, reason });

function authorityOf(text: string): string {
  return /^[a-z]+:\/*([^/?#]*)/i.exec(text)?.[1] ?? '';
}

function judgePort(url: URL, policy: OutboundPolicy): string | undefined {
  if (policy.allowPrivate) return undefined;
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : Number(url.port);
  return port !== undefined && policy.ports.includes(port)
    ? undefined
    : `port ${port} is not one of ${policy.ports.join(', ')}`;
}

function judgeHost(url: URL, authority: string, policy: OutboundPolicy): string | undefined {
  const literal = hostLiteral(url);
  if (literal !== undefined) {
    const written = authority
      .replace(/:\d*$/, '')
      .replace(/^\[|\]$/g, '')
      .toLowerCase();
    // `0x7f.1`, `017700000001` and `2130706433` are all 127.0.0.1: readers see one host, sockets another.
    if (isIP(literal) === 4 && written !== literal) return `its host is ${literal} in an unusual form`;
    return judgeAddress(literal, policy.allowPrivate);
  }
  if (policy.allowPrivate) return undefined;
  const name = url.hostname.replace(/\.$/, '');
  if (LOCAL_NAME.test(name)) return `${name} is a local name`;
  return name.includes('.') ? undefined : `${name} is a name without a domain`;
}

/** The address a URL names instead of a host name, without brackets. */
export function hostLiteral(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? undefined : host;
}
