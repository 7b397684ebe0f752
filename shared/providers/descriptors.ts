import type { ProviderName } from '../domain/integrated-account.ts';
import { capsule } from './capsule/descriptor.ts';
import { close } from './close/descriptor.ts';
import type { ProviderDescriptor } from './port.ts';
import { salesforce } from './salesforce/descriptor.ts';

/** The pure half of every connector. Adding a CRM is adding a folder and a line here and in `clients.ts`. */
export const descriptors: Readonly<Record<ProviderName, ProviderDescriptor>> = { salesforce, close, capsule };

export function descriptorOf(provider: ProviderName): ProviderDescriptor {
  return descriptors[provider];
}
