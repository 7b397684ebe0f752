import type { Clock } from '../clock.ts';
import {
  DELIVERY_REASONS,
  DELIVERY_STATUSES,
  type Delivery,
  type DeliveryReason,
  type DeliveryStatus,
  type DeliveryTry,
  deliveryIdOf,
  endpointOfDelivery,
} from '../domain/webhook.ts';
import type { RedisClient } from '../redis/connect.ts';
import { deliveryQueueOf, type Keys } from '../redis/keys.ts';
import { partitionOfAccount } from '../redis/partitions.ts';
import { defineScripts } from '../redis/scripts.ts';
import type { EventHead, EventRef } from './event-store.ts';

const DAY_MS = 86_400_000;
/** Deliveries and what became of them are shown for this long. */
export const DELIVERIES_KEPT_MS = 30 * DAY_MS;
/** A delivery set going again lives at least as long as its schedule may take. */
const REOPENED_KEPT_MS = 5 * DAY_MS;
const TRIES_KEPT = 30;
/** A failure this long after the one before begins a new series: nobody called meanwhile, so nobody knows. */
const SERIES_GAP_MS = 2 * DAY_MS;
const SCHEMA_VERSION = 1;

export type DeliveryStoreDeps = {
  redis: RedisClient;
  keys: Keys;
  partitions: number;
  clock: Clock;
  /** How long a pending delivery may be without its engine job. */
  orphanMs: number;
};

/** How one run ended, as it is stored. */
export type DeliveryOutcome = {
  kind: 'delivered' | 'failed' | 'retry';
  reason?: DeliveryReason;
  nextTryAtMs?: number;
  /** Absent: nothing was sent. */
  tried?: DeliveryTry;
  /** The receiver wants nothing before this moment. */
  blockedUntilMs?: number;
};

export type ReopenWish = {
  /** Only if it is pending in this round and its engine job is lost. */
  lostRound?: number;
  notPending?: boolean;
  onlyFailed?: boolean;
  /** Milliseconds between replayed deliveries of one endpoint. */
  spacingMs?: number;
};

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/** Deliveries: one hash each in the partition of their endpoint; fields as {@link decode} reads them. */
export function createDeliveryStore({ redis, keys, partitions, clock, orphanMs }: DeliveryStoreDeps) {
  const scripts = defineScripts(redis);
  const partitionOf = (endpoint: string) => partitionOfAccount(endpoint, partitions);
  const keyOf = (id: string) => {
    const endpoint = endpointOfDelivery(id) ?? '';
    return { endpoint, p: partitionOf(endpoint), key: keys.delivery(partitionOf(endpoint), id) };
  };

  async function find(id: string): Promise<Delivery | undefined> {
    const { endpoint, key } = keyOf(id);
    if (endpoint === '') return undefined;
    const hash = await redis.hgetall(key);
    return hash.status ? decode(id, endpoint, hash) : undefined;
  }

  return {
    partitionOf,
    find,

    /**
     * @param unsent makes it a failed one: its endpoint is disabled, and a replay may send it later.
     * @returns whether it is to be queued, in which round, and whether the queue needs a worker; undefined when it is over.
     */
    async create(
      ref: EventRef,
      head: EventHead,
      endpoint: string,
      options: { callbackUrl?: string; unsent?: DeliveryReason } = {},
    ): Promise<{ id: string; round: number; bell: boolean } | undefined> {
      const id = deliveryIdOf(ref.id, endpoint);
      const { p, key } = keyOf(id);
      const now = clock.nowMs();
      const { unsent, callbackUrl } = options;
      const fields: Record<string, string | number> = {
        v: SCHEMA_VERSION,
        ws: head.workspace,
        tag: ref.tag,
        event: ref.id,
        type: head.type,
        seq: head.sequence,
        created: now,
        round: 1,
        step: 0,
        status: unsent ? 'failed' : 'pending',
        ...(unsent ? { reason: unsent } : { next_at: now }),
        ...(callbackUrl === undefined ? {} : { url: callbackUrl }),
      };
      const reply = await scripts.dwDeliveryCreate(
        key,
        keys.deliveries(p, endpoint),
        keys.pending(p),
        keys.active(p),
        id,
        head.atMs,
        unsent ? '' : now + orphanMs,
        DELIVERIES_KEPT_MS,
        deliveryQueueOf(endpoint),
        now,
        ...Object.entries(fields).flat(),
      );
      if (reply[0] === 1) return unsent ? undefined : { id, round: 1, bell: reply[1] === 1 };
      return reply[1] === 'pending' ? { id, round: Number(reply[2]), bell: true } : undefined;
    },

    /** @returns since when its endpoint only fails (ms, 0 = it is well), or undefined when the run was not the current one. */
    async finish(delivery: Delivery, outcome: DeliveryOutcome): Promise<number | undefined> {
      const { endpoint, p, key } = keyOf(delivery.id);
      const [code, since] = await scripts.dwDeliveryFinish(
        key,
        keys.pending(p),
        keys.health(p, endpoint),
        delivery.id,
        delivery.round,
        clock.nowMs(),
        outcome.kind,
        outcome.reason ?? '',
        outcome.nextTryAtMs ?? '',
        outcome.tried ? JSON.stringify(outcome.tried) : '',
        TRIES_KEPT,
        SERIES_GAP_MS,
        outcome.blockedUntilMs ?? '',
        DELIVERIES_KEPT_MS,
      );
      return code === 1 ? Number(since) : undefined;
    },

    /** @returns round and time of its first try, or undefined when it is not one of those wished for. */
    async reopen(id: string, wish: ReopenWish): Promise<{ round: number; atMs: number } | undefined> {
      const { endpoint, p, key } = keyOf(id);
      const [code, round, atMs] = await scripts.dwDeliveryReopen(
        key,
        keys.pending(p),
        keys.active(p),
        keys.health(p, endpoint),
        id,
        clock.nowMs(),
        wish.lostRound ?? '',
        wish.notPending ? '1' : '',
        wish.onlyFailed ? '1' : '',
        wish.spacingMs ?? 0,
        orphanMs,
        deliveryQueueOf(endpoint),
        REOPENED_KEPT_MS,
        DELIVERIES_KEPT_MS,
      );
      return code === 1 ? { round: Number(round), atMs: Number(atMs) } : undefined;
    },

    /** Until when the receiver wants nothing (ms), 0 = it has not said so. */
    async blockedUntilMs(endpoint: string): Promise<number> {
      return Number((await redis.hget(keys.health(partitionOf(endpoint), endpoint), 'blocked')) ?? 0);
    },

    /** Ids of an endpoint's deliveries whose events lie in a range, oldest first, with the event's time. */
    async idsBetween(endpoint: string, sinceMs: number, untilMs: number, limit: number) {
      const key = keys.deliveries(partitionOf(endpoint), endpoint);
      const flat = await redis.zrangebyscore(key, sinceMs, untilMs, 'WITHSCORES', 'LIMIT', 0, limit);
      return Array.from({ length: flat.length / 2 }, (_, i) => ({
        id: flat[2 * i] ?? '',
        atMs: Number(flat[2 * i + 1]),
      }));
    },

    /** Newest event first; `skip` of them are passed over. */
    async page(endpoint: string, skip: number, count: number): Promise<(Delivery | undefined)[]> {
      const key = keys.deliveries(partitionOf(endpoint), endpoint);
      return Promise.all((await redis.zrevrange(key, skip, skip + count - 1)).map(find));
    },

    /** Pending deliveries whose engine job should be looked for. */
    dueOrphans: (partition: number, limit: number): Promise<string[]> =>
      redis.zrangebyscore(keys.pending(partition), '-inf', clock.nowMs(), 'LIMIT', 0, limit),

    async lookAgain(id: string, atMs: number): Promise<void> {
      await redis.zadd(keys.pending(keyOf(id).p), 'XX', atMs, id);
    },

    async forget(id: string): Promise<void> {
      await redis.zrem(keys.pending(keyOf(id).p), id);
    },

    /** The endpoint begins anew: earlier failures are forgiven. */
    async forgiveFailures(endpoint: string): Promise<void> {
      const key = keys.health(partitionOf(endpoint), endpoint);
      await redis.hdel(key, 'failing_since', 'last_failure', 'blocked');
    },

    /** Forgets what is known of an endpoint; its deliveries themselves expire. */
    async forgetEndpoint(endpoint: string): Promise<void> {
      const p = partitionOf(endpoint);
      await redis.del(keys.deliveries(p, endpoint), keys.health(p, endpoint));
    },
  };
}

type Hash = Record<string, string>;

function decode(id: string, endpoint: string, hash: Hash): Delivery {
  if (Number(hash.v) > SCHEMA_VERSION)
    throw new Error(`Delivery ${id} has schema version ${hash.v}; this program knows ${SCHEMA_VERSION}.`);
  const tryCount = Number(hash.n ?? 0);
  const tries: DeliveryTry[] = [];
  for (let n = Math.max(1, tryCount - TRIES_KEPT + 1); n <= tryCount; n++) {
    const text = hash[`t${n}`];
    if (text) tries.push(JSON.parse(text));
  }
  const status: DeliveryStatus = DELIVERY_STATUSES.find((known) => known === hash.status) ?? 'failed';
  return {
    id,
    endpoint,
    workspace: hash.ws ?? '',
    callbackUrl: hash.url,
    eventTag: hash.tag ?? '',
    event: hash.event ?? '',
    // Written by `create` from an event head, which knows no other types.
    type: hash.type as Delivery['type'],
    sequence: Number(hash.seq),
    status,
    reason: DELIVERY_REASONS.find((known) => known === hash.reason),
    createdAtMs: Number(hash.created),
    nextTryAtMs: status === 'pending' && hash.next_at ? Number(hash.next_at) : undefined,
    deliveredAtMs: hash.delivered ? Number(hash.delivered) : undefined,
    round: Number(hash.round),
    step: Number(hash.step ?? 0),
    tryCount,
    tries,
  };
}
