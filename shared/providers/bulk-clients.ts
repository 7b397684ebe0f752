import type { ProviderName } from '../domain/integrated-account.ts';
import type { BulkClient } from './batch-port.ts';
import { salesforceBulk } from './salesforce/bulk.ts';

/** Providers with bulk jobs of their own, for large imports. */
export const bulkClients: Partial<Record<ProviderName, BulkClient>> = { salesforce: salesforceBulk };
