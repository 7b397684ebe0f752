import { createCapsule } from '../capsule/provider.ts';
import { createClose } from '../close/provider.ts';
import { createSalesforce } from '../salesforce/provider.ts';
import { type RunningSandbox, type ServeOptions, serveSandbox } from './server.ts';

export type StartOptions = Omit<ServeOptions, 'providers'>;

/** Serves all three CRMs; port 0 takes a free one. */
export function startSandbox(options: StartOptions): Promise<RunningSandbox> {
  return serveSandbox({ ...options, providers: [createSalesforce, createClose, createCapsule] });
}
