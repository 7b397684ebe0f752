import { toIso } from '../clock.ts';
import { viewJob } from '../contract/job-view.ts';
import { EVENT_TYPES, type EventType, jobEventOf, type WebhookPayload } from '../domain/webhook.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { EventTag, Keys } from '../redis/keys.ts';
import { decodeJob } from './job-codec.ts';

const DAY_MS = 86_400_000;
/** Longer than a delivery is kept by what the whole schedule takes, so that a late redelivery still has its payload. */
export const EVENT_KEPT_MS = 34 * DAY_MS;

export type EventRef = { tag: EventTag; id: string };

/** What fanning out has to know of an event; its payload is read only when it is sent. */
export type EventHead = {
  workspace: string;
  type: EventType;
  atMs: number;
  sequence: number;
  /** Of the create that the job came from. */
  callbackUrl?: string;
  /** Present: for this endpoint alone. */
  only?: string;
};

/** An event that is not a job's: written beside the record it tells of. */
export type NewEvent = { type: EventType; workspace: string; data: unknown; only?: string };

/** The event as `write_event` of scripts/write-event.lua takes it; '' = no event. The data is text inside, so that Lua's numbers never touch it. */
export function encodeEvent(event: NewEvent | undefined): string {
  if (!event) return '';
  const { type, workspace, data, only = '' } = event;
  return JSON.stringify({ type, ws: workspace, data: JSON.stringify(data), only, kept: EVENT_KEPT_MS });
}

const HEAD_FIELDS = ['kind', 'ws', 'type', 'at', 'seq', 'status', 'updated', 'callback', 'only'] as const;

export type EventStore = ReturnType<typeof createEventStore>;

/** Events as they were written, and the outboxes of those not yet fanned out. */
export function createEventStore({ redis, keys }: { redis: RedisClient; keys: Keys }) {
  return {
    /** Undefined when the event has expired, or is of a kind this version does not know. */
    async head({ tag, id }: EventRef): Promise<EventHead | undefined> {
      const values = await redis.hmget(keys.event(tag, id), ...HEAD_FIELDS);
      const field = (name: (typeof HEAD_FIELDS)[number]) => values[HEAD_FIELDS.indexOf(name)] ?? undefined;
      const isJob = field('kind') === undefined;
      const status = field('status');
      const type = isJob
        ? status && jobEventOf(status as Parameters<typeof jobEventOf>[0])
        : EVENT_TYPES.find((known) => known === field('type'));
      if (!type) return undefined;
      const callbackUrl = field('callback');
      return {
        workspace: field('ws') ?? '',
        type,
        atMs: Number(isJob ? field('updated') : field('at')),
        sequence: Number(field('seq')),
        ...(callbackUrl ? { callbackUrl } : {}),
        ...(field('only') ? { only: field('only') } : {}),
      };
    },

    /** The payload as of the event, the same at every reading; undefined when it has expired. */
    async payload({ tag, id }: EventRef): Promise<WebhookPayload | undefined> {
      const hash = await redis.hgetall(keys.event(tag, id));
      if (hash.kind === 'json') {
        const type = EVENT_TYPES.find((known) => known === hash.type);
        if (!type) return undefined;
        const timestamp = toIso(Number(hash.at));
        return { type, timestamp, sequence: Number(hash.seq), data: JSON.parse(hash.data ?? 'null') };
      }
      if (!hash.status) return undefined;
      const job = decodeJob(id.slice(0, id.lastIndexOf('.')), hash);
      const type = jobEventOf(job.status);
      if (!type) return undefined;
      return { type, timestamp: toIso(job.updatedAtMs), sequence: job.sequence, data: viewJob(job) };
    },

    /** Ids still to be fanned out, written before `beforeMs`, oldest first. */
    left: (tag: EventTag, beforeMs: number, limit: number): Promise<string[]> =>
      redis.zrangebyscore(keys.outbox(tag), '-inf', beforeMs, 'LIMIT', 0, limit),

    /** Every delivery of the event exists. */
    async settle({ tag, id }: EventRef): Promise<void> {
      await redis.zrem(keys.outbox(tag), id);
    },
  };
}
