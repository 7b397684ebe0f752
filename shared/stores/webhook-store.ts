import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type DisabledReason, viewEndpoint, type WebhookEndpoint } from '../domain/webhook.ts';
import type { RedisClient } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { WRITE_EVENT_LUA } from '../redis/scripts.ts';
import { type EventRef, encodeEvent, type NewEvent } from './event-store.ts';
import type { SealedBox } from './sealed-box.ts';

/**
 * The endpoint hash: `v` schema version · `record` JSON · `secrets` sealed · `rev`
 * counts changes, so that two at once do not lose one.
 */
const SCHEMA_VERSION = 1;
const SECRET_BYTES = 32;

/** A secret with the moment it stops signing; the current one has none. */
export type SigningSecret = { secret: string; untilMs?: number };

export type NewEndpoint = Pick<
  WebhookEndpoint,
  'workspace' | 'url' | 'events' | 'description' | 'trutoSignature'
>;
export type EndpointPatch = Partial<
  Pick<WebhookEndpoint, 'url' | 'events' | 'description' | 'trutoSignature'>
>;

export type WebhookStoreDeps = { redis: RedisClient; keys: Keys; box: SealedBox; clock: Clock };
export type WebhookStore = ReturnType<typeof createWebhookStore>;

/**
 * KEYS  1 endpoint  2 event:E  3 outbox  4 endpoints of the workspace
 * ARGV  1 endpoint id  2 now ms  3 channel  4 message  5 revision it must have, '' = it must not exist, '*' = any
 *       6 event text, '' = none  7… field, value, …
 *
 * returns {1, sequence of the event or 0} · {0} another revision, or it exists · {-404} no such endpoint
 */
const CHANGE = `${WRITE_EVENT_LUA}
local rev = redis.call('HGET', KEYS[1], 'rev')
if ARGV[5] == '' then
  if rev then return {0} end
  redis.call('SADD', KEYS[4], ARGV[1])
else
  if not rev then return {-404} end
  if ARGV[5] ~= '*' and rev ~= ARGV[5] then return {0} end
end
if #ARGV > 7 then redis.call('HSET', KEYS[1], unpack(ARGV, 7)) end
redis.call('HINCRBY', KEYS[1], 'rev', 1)
local event = write_event({ KEYS[2], KEYS[3] }, { ARGV[6], ARGV[1], ARGV[2] })
redis.call('PUBLISH', ARGV[3], ARGV[4])
return {1, event}
`;

/** Webhook endpoints with their sealed secrets, and the callback secret of each workspace. */
export function createWebhookStore({ redis, keys, box, clock }: WebhookStoreDeps) {
  const sealSecrets = (id: string, secrets: SigningSecret[]) => box.seal(id, JSON.stringify(secrets));

  async function change(
    endpoint: Pick<WebhookEndpoint, 'id' | 'workspace'>,
    revision: string,
    fields: Record<string, string>,
    event?: NewEvent,
  ): Promise<{ kind: 'changed'; event?: EventRef } | { kind: 'conflict' } | { kind: 'missing' }> {
    const reply: unknown = await redis.eval(
      CHANGE,
      4,
      keys.endpoint(endpoint.id),
      keys.event('webhooks', endpoint.id),
      keys.outbox('webhooks'),
      keys.endpoints(endpoint.workspace),
      endpoint.id,
      clock.nowMs(),
      keys.webhooksChanged,
      `${endpoint.workspace} ${endpoint.id}`,
      revision,
      encodeEvent(event),
      ...Object.entries(fields).flat(),
    );
    const [code, sequence] = Array.isArray(reply) ? reply : [];
    if (code === -404) return { kind: 'missing' };
    if (code !== 1) return { kind: 'conflict' };
    if (!sequence) return { kind: 'changed' };
    return { kind: 'changed', event: { tag: 'webhooks', id: `${endpoint.id}.${sequence}` } };
  }

  async function read(id: string): Promise<{ endpoint: WebhookEndpoint; revision: string } | undefined> {
    const [v, record, revision] = await redis.hmget(keys.endpoint(id), 'v', 'record', 'rev');
    if (!record || !revision) return undefined;
    if (Number(v) > SCHEMA_VERSION)
      throw new Error(
        `Webhook endpoint ${id} has schema version ${v}; this program knows ${SCHEMA_VERSION}.`,
      );
    // Only this store writes the field.
    return { endpoint: JSON.parse(record) as WebhookEndpoint, revision };
  }

  const get = async (id: string) => (await read(id))?.endpoint;

  /** Reads, changes and writes; again when somebody else was faster. */
  async function update(
    id: string,
    changed: (endpoint: WebhookEndpoint) => WebhookEndpoint | undefined,
    event?: (endpoint: WebhookEndpoint) => NewEvent,
  ): Promise<{ endpoint: WebhookEndpoint; event?: EventRef } | undefined> {
    for (;;) {
      const found = await read(id);
      const next = found && changed(found.endpoint);
      if (!found || !next) return undefined;
      const record = { ...next, updatedAtMs: clock.nowMs() };
      const done = await change(record, found.revision, { record: JSON.stringify(record) }, event?.(record));
      if (done.kind === 'changed') return { endpoint: record, ...(done.event ? { event: done.event } : {}) };
      if (done.kind === 'missing') return undefined;
    }
  }

  /** @throws SealedBoxError when they cannot be opened. */
  async function secrets(id: string): Promise<SigningSecret[]> {
    const sealed = await redis.hget(keys.endpoint(id), 'secrets');
    if (!sealed) return [];
    // The seal proves that only this store wrote it.
    const all = JSON.parse(box.open(id, sealed)) as SigningSecret[];
    return all.filter(({ untilMs }) => untilMs === undefined || untilMs > clock.nowMs());
  }

  return {
    get,
    update: (id: string, patch: EndpointPatch) =>
      update(id, (endpoint) => ({ ...endpoint, ...patch })).then((done) => done?.endpoint),
    /** Secrets that sign now, the current one first. */
    secrets,

    /** @returns the secret with the record: it cannot be read again. */
    async create(input: NewEndpoint): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
      const now = clock.nowMs();
      const endpoint: WebhookEndpoint = {
        id: randomUUID(),
        ...input,
        status: 'enabled',
        createdAtMs: now,
        updatedAtMs: now,
      };
      const secret = createWebhookSecret();
      await change(endpoint, '', {
        v: String(SCHEMA_VERSION),
        record: JSON.stringify(endpoint),
        secrets: sealSecrets(endpoint.id, [{ secret }]),
      });
      return { endpoint, secret };
    },

    /** Endpoints of a workspace, oldest first. */
    async list(workspace: string): Promise<WebhookEndpoint[]> {
      const ids = await redis.smembers(keys.endpoints(workspace));
      const found = await Promise.all(ids.map(get));
      return found
        .filter((endpoint) => endpoint !== undefined)
        .sort((a, b) => a.createdAtMs - b.createdAtMs || a.id.localeCompare(b.id));
    },

    async remove({ id, workspace }: WebhookEndpoint): Promise<void> {
      await redis.srem(keys.endpoints(workspace), id);
      await redis.del(keys.endpoint(id));
      await redis.publish(keys.webhooksChanged, `${workspace} ${id}`);
    },

    /** A new secret signs from now on; those before it go on signing beside it for `overlapMs`. */
    async rotateSecret(endpoint: WebhookEndpoint, overlapMs: number): Promise<string | undefined> {
      for (;;) {
        const found = await read(endpoint.id);
        if (!found) return undefined;
        const untilMs = clock.nowMs() + overlapMs;
        const before = (await secrets(endpoint.id)).map((old) => ({
          ...old,
          untilMs: Math.min(old.untilMs ?? untilMs, untilMs),
        }));
        const secret = createWebhookSecret();
        const kept = overlapMs > 0 ? before : [];
        const sealed = sealSecrets(endpoint.id, [{ secret }, ...kept]);
        const done = await change(endpoint, found.revision, { secrets: sealed });
        if (done.kind === 'changed') return secret;
        if (done.kind === 'missing') return undefined;
      }
    },

    /** Nothing more is sent to it. Its own event is the same write; nothing happens when it is disabled already. */
    disable: (id: string, reason: DisabledReason) =>
      update(
        id,
        (endpoint) =>
          endpoint.status === 'disabled'
            ? undefined
            : { ...endpoint, status: 'disabled', disabledReason: reason, disabledAtMs: clock.nowMs() },
        (endpoint) => ({
          type: 'webhook_endpoint.disabled',
          workspace: endpoint.workspace,
          data: viewEndpoint(endpoint),
        }),
      ),

    enable: (id: string) =>
      update(id, ({ disabledReason: _, disabledAtMs: __, ...endpoint }) => ({
        ...endpoint,
        status: 'enabled',
      })),

    /** An event for this endpoint alone, to try it. */
    async writeTestEvent(endpoint: WebhookEndpoint, event: NewEvent): Promise<EventRef | undefined> {
      const done = await change(endpoint, '*', {}, event);
      return done.kind === 'changed' ? done.event : undefined;
    },

    /** The secret that signs the callbacks of a workspace; made when it is first asked for. */
    async callbackSecret(workspace: string): Promise<string> {
      const key = keys.callbackSecret(workspace);
      const aad = `callback ${workspace}`;
      const known = await redis.get(key);
      if (known) return box.open(aad, known);
      await redis.setnx(key, box.seal(aad, createWebhookSecret()));
      return box.open(aad, (await redis.get(key)) ?? '');
    },
  };
}

/** As Standard Webhooks writes them: 24 to 64 random bytes in base64. */
function createWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}
