import type { Clock } from '../clock.ts';
import type { ImportRecord } from '../domain/import.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { openMember, partitionOfImport, type ImportRef as Ref } from './import-places.ts';

/** Which imports there are, by account and by when to look at them. */
export function createImportIndex(options: {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  clock: Clock;
  find: (id: string) => Promise<ImportRecord | undefined>;
}) {
  const { redis, keys, partitions, clock, find } = options;

  return {
    /** From new to old; those that have expired are left out. */
    async list(
      accounts: readonly string[],
      cursor: string | undefined,
      limit: number,
    ): Promise<{ imports: ImportRecord[]; nextCursor?: string }> {
      const max = cursor === undefined ? '+' : `(${cursor}`;
      const pages = await Promise.all(
        accounts.map((account) =>
          redis.zrevrangebylex(
            keys.imports(partitionOfAccount(account, partitions), account),
            max,
            '-',
            'LIMIT',
            0,
            limit + 1,
          ),
        ),
      );
      const ids = pages.flat().sort().reverse();
      const shown = ids.slice(0, limit);
      const found = await Promise.all(shown.map(find));
      return {
        imports: found.filter((record) => record !== undefined),
        ...(ids.length > limit ? { nextCursor: shown.at(-1) } : {}),
      };
    },

    /** Takes imports that have expired out of the index of their account. */
    async dropExpired(account: string): Promise<void> {
      const p = partitionOfAccount(account, partitions);
      const ids = await redis.zrangebylex(keys.imports(p, account), '-', '+');
      const exist = await Promise.all(ids.map((id) => redis.exists(keys.import(p, id))));
      const gone = ids.filter((_, i) => exist[i] === 0);
      if (gone.length > 0) await redis.zrem(keys.imports(p, account), ...gone);
    },

    /** Ids of the account's imports that have not ended. */
    open: (account: string): Promise<string[]> =>
      redis.smembers(keys.importsOpenOf(partitionOfAccount(account, partitions), account)),

    /** Open imports of a partition that are due to be looked at. */
    async due(partition: number, limit: number): Promise<{ account: string; id: string }[]> {
      const members = await redis.zrangebyscore(
        keys.importsOpen(partition),
        '-inf',
        clock.nowMs(),
        'LIMIT',
        0,
        limit,
      );
      return members.map((text) => {
        const [account = '', id = ''] = text.split(' ');
        return { account, id };
      });
    },

    async lookAgain(record: Ref, ms: number): Promise<void> {
      await redis.zadd(
        keys.importsOpen(partitionOfImport(record)),
        'XX',
        clock.nowMs() + ms,
        openMember(record),
      );
    },

    /** It is open no more. */
    async forget(record: Ref): Promise<void> {
      const p = partitionOfImport(record);
      await Promise.all([
        redis.zrem(keys.importsOpen(p), openMember(record)),
        redis.srem(keys.importsOpenOf(p, record.account), record.id),
      ]);
    },
  };
}
