import { createUnknownStore } from '../../shared/stores/unknown-store.ts';
import type { WriterDeps } from '../../worker/write-opportunity/deps.ts';
import { silentLogger } from '../support/redis.ts';
import { RETENTION_MS, type StoreUnderTest } from './job-store-support.ts';

type Own = Pick<WriterDeps, 'accounts' | 'caller' | 'clientOf' | 'credentialsOf' | 'descriptorOf'>;

/** A writer's dependencies on a real store; what a test is about, the account and its provider, is its own. */
export const writerDeps = ({ jobs, redis, keys, clock }: StoreUnderTest, own: Own): WriterDeps => ({
  factsUnderWay: new Map(),
  jobs,
  unknowns: {
    ...createUnknownStore({ redis, keys, clock, retentionMs: RETENTION_MS }),
    takeClaim: async () => undefined,
  },
  epoch: () => ({ number: 0, atMs: 0 }),
  clock,
  providerTime: (_, nowMs) => nowMs,
  random: () => 0.5,
  logger: silentLogger,
  onAttempt: () => {},
  followRow: async () => {},
  ...own,
});
