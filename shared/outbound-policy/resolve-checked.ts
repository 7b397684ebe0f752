import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { judgeAddress } from './judge-address.ts';

/** All addresses of a name. */
export type Resolve = (name: string) => Promise<LookupAddress[]>;

/** A name has an address that nothing may be sent to. The message names both. */
export class OutboundRefused extends Error {
  override name = 'OutboundRefused';
  readonly code = 'EOUTBOUND';
}

/** The system's own resolver, hosts file included: what a socket would use. */
export const resolveBySystem: Resolve = (name) =>
  new Promise((resolve, reject) => {
    lookup(name, { all: true, verbatim: true }, (err, addresses) => (err ? reject(err) : resolve(addresses)));
  });

/**
 * Resolves a name and refuses it if even one of its addresses is not allowed: a socket could choose that one.
 * @throws OutboundRefused, or the resolver's own error.
 */
export async function resolveChecked(
  name: string,
  { resolve, allowPrivate }: { resolve: Resolve; allowPrivate: boolean },
): Promise<LookupAddress[]> {
  const addresses = await resolve(name);
  for (const { address } of addresses) {
    const reason = judgeAddress(address, allowPrivate);
    if (reason !== undefined) throw new OutboundRefused(`${name} leads to ${reason}`);
  }
  if (addresses.length === 0) throw new OutboundRefused(`${name} has no address`);
  return addresses;
}

/**
 * `lookup` for a socket: it is connected to the very addresses that were checked, so that a resolver that answers
 * differently the next time changes nothing. A literal address never comes here: judge it before.
 * @param isTrusted names the operator vouches for: their addresses are not judged.
 */
export function createCheckedLookup(options: {
  allowPrivate: boolean;
  resolve?: Resolve;
  isTrusted?: (name: string) => boolean;
}): LookupFunction {
  const { allowPrivate, resolve = resolveBySystem, isTrusted = () => false } = options;
  return (name, { all, family }, callback) => {
    const found = isTrusted(name) ? resolve(name) : resolveChecked(name, { resolve, allowPrivate });
    found
      .then((addresses) => {
        const wanted = addresses.filter((one) => isFamily(one, family));
        const [first] = wanted;
        if (!first) throw new OutboundRefused(`${name} has no usable address`);
        if (all) callback(null, wanted);
        else callback(null, first.address, first.family);
      })
      .catch((err) => callback(err instanceof Error ? err : new Error(String(err)), ''));
  };
}

function isFamily({ family }: LookupAddress, wanted: number | string | undefined): boolean {
  return wanted === undefined || wanted === 0 || family === Number(String(wanted).replace('IPv', ''));
}
