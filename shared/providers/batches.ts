import type { ProviderName } from '../domain/integrated-account.ts';
import type { BatchDescriptor } from './batch-port.ts';

/** Providers that take many creates in one call, for imports. */
export const batches: Partial<Record<ProviderName, BatchDescriptor>> = {};
