import { createCapsule } from '../capsule/provider.ts';
import { createClose } from '../close/provider.ts';
import { createSalesforce } from '../salesforce/provider.ts';
import { type RunningSandbox, serveSandbox } from './server.ts';

export type StartOptions = { port: number; host: string; nowMs?: () => number };

/** Serves all three CRMs; port 0 takes a free one. */
export function startSandbox(options: StartOptions): Promise<RunningSandbox> {
  return serveSandbox({ ...options, providers: [createSalesforce, createClose, createCapsule] });
}
