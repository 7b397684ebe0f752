import type { LookupFunction } from 'node:net';
import { judgeAddress } from './judge-address.ts';
import { hostLiteral } from './judge-url.ts';
import { createCheckedLookup, type Resolve } from './resolve-checked.ts';

const PATTERN = /^(https?):\/\/([^/:[\]]+|\[[^\]]+\])(?::(?:\d+|\*))?\/?$/;
const PRIVATE_NAME = /(?:^|\.)(?:localhost|local|internal|intranet|lan)$/;

export type ProviderPolicy = {
  /** Why a URL of the allow-list may not be called all the same: its address is not public and nobody named it. */
  judge(url: URL): string | undefined;
  lookup: LookupFunction;
};

/**
 * The outbound policy for calls to providers. What an entry of the allow-list names exactly as an address, a plain-http or a
 * local host (a sandbox, a service of the same cluster) is the operator's word; every other name must lead to
 * public addresses, since its owner, or whoever answers for it, chooses them.
 */
export function createProviderPolicy(patterns: readonly string[], resolve?: Resolve): ProviderPolicy {
  const vouchedFor = new Set(patterns.flatMap(vouchedHost));
  const lookup = createCheckedLookup({
    allowPrivate: false,
    resolve,
    isTrusted: (name) => vouchedFor.has(name),
  });
  return {
    lookup,
    judge(url) {
      const literal = hostLiteral(url);
      if (literal === undefined || vouchedFor.has(literal)) return undefined;
      return judgeAddress(literal, false);
    },
  };
}

function vouchedHost(pattern: string): string[] {
  const [, scheme, host = ''] = PATTERN.exec(pattern.trim().toLowerCase()) ?? [];
  if (host === '' || host.includes('*')) return [];
  const name = host.replace(/^\[|\]$/g, '');
  const isLiteral = host.startsWith('[') || /^[\d.]+$/.test(host);
  return scheme === 'http' || isLiteral || !name.includes('.') || PRIVATE_NAME.test(name) ? [name] : [];
}
