import type { ProviderName } from '../domain/integrated-account.ts';
import { capsuleClient } from './capsule/client.ts';
import { closeClient } from './close/client.ts';
import type { ProviderClient } from './port.ts';
import { salesforceClient } from './salesforce/client.ts';

/** The I/O halves of the connectors; worker only. */
export const clients: Record<ProviderName, ProviderClient> = {
  salesforce: salesforceClient,
  close: closeClient,
  capsule: capsuleClient,
};
