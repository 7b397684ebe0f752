import type { ProviderName } from '../domain/integrated-account.ts';
import type { BatchDescriptor } from './batch-port.ts';
import { salesforceBatch } from './salesforce/batch.ts';

/** Providers that take many creates in one call, for imports. */
export const batches: Partial<Record<ProviderName, BatchDescriptor>> = { salesforce: salesforceBatch };
