import type { Clock } from '../../shared/clock.ts';
import type { Delivery, DisabledReason, WebhookEndpoint } from '../../shared/domain/webhook.ts';
import type { Logger } from '../../shared/logger.ts';
import { DeliverMessage } from '../../shared/queues/messages.ts';
import type { EventTag } from '../../shared/redis/keys.ts';
import type { DeliveryOutcome, DeliveryStore } from '../../shared/stores/delivery-store.ts';
import type { EventStore } from '../../shared/stores/event-store.ts';
import { SealedBoxError } from '../../shared/stores/sealed-box.ts';
import type { SigningSecret } from '../../shared/stores/webhook-store.ts';
import { DONE, type NextStep, type Processor, waitUntil } from '../next-step.ts';
import { decideDelivery, isFailingTooLong, type Posted } from './decide.ts';
import type { Post } from './post.ts';
import { redactResponse } from './redact.ts';
import { renderPayload } from './render.ts';
import { signForTruto, signWebhook } from './sign.ts';

export type DeliverDeps = {
  deliveries: Pick<DeliveryStore, 'find' | 'finish' | 'blockedUntilMs'>;
  events: Pick<EventStore, 'payload'>;
  endpoints: {
    get(id: string): Promise<WebhookEndpoint | undefined>;
    secrets(id: string): Promise<SigningSecret[]>;
    callbackSecret(workspace: string): Promise<string>;
    /** Nothing more is sent to it, and the others of the workspace are told. */
    disable(id: string, reason: DisabledReason): Promise<void>;
  };
  post: Post;
  /** Repeats a write until the store takes it: a receiver that was told must not be forgotten. */
  persist: <T>(logger: Logger, what: string, write: () => Promise<T>) => Promise<T>;
  scheduleMs: readonly number[];
  clock: Clock;
  random: () => number;
  logger: Logger;
  onTry: (facts: { outcome: string; durationMs: number }) => void;
};

/** Due this much later counts as due: engine timers and clocks of processes differ. */
const EARLY_MS = 100;

type Target = { url: string; secrets: string[]; trutoSignature: boolean };

/** One delivery, one try: whom → what → sign → post → what the answer means. */
export function createDeliverer(deps: DeliverDeps): Processor {
  return async (data, signal) => {
    const message = DeliverMessage.parse(data);
    const delivery = await deps.deliveries.find(message.delivery);
    if (delivery?.status !== 'pending' || delivery.round !== message.round) return DONE;
    const dueMs = Math.max(
      delivery.nextTryAtMs ?? 0,
      await deps.deliveries.blockedUntilMs(delivery.endpoint),
    );
    if (dueMs > deps.clock.nowMs() + EARLY_MS) return waitUntil(dueMs);
    const target = await findTarget(deps, delivery);
    if (typeof target === 'string') return end(deps, delivery, target);
    const tag: EventTag = delivery.eventTag === 'webhooks' ? 'webhooks' : Number(delivery.eventTag);
    const payload = await deps.events.payload({ tag, id: delivery.event });
    if (!payload) return end(deps, delivery, 'event_expired');
    return tryOnce(deps, delivery, target, renderPayload(payload), signal);
  };
}

/** Where it goes and with which secrets, or why it goes nowhere. */
async function findTarget(
  deps: DeliverDeps,
  { endpoint: id, workspace, callbackUrl }: Delivery,
): Promise<Target | NonNullable<DeliveryOutcome['reason']>> {
  try {
    if (callbackUrl !== undefined) {
      const secrets = [await deps.endpoints.callbackSecret(workspace)];
      return { url: callbackUrl, secrets, trutoSignature: false };
    }
    const endpoint = await deps.endpoints.get(id);
    if (!endpoint) return 'endpoint_deleted';
    if (endpoint.status === 'disabled') return 'endpoint_disabled';
    const secrets = (await deps.endpoints.secrets(id)).map(({ secret }) => secret);
    return { url: endpoint.url, secrets, trutoSignature: endpoint.trutoSignature };
  } catch (err) {
    if (!(err instanceof SealedBoxError)) throw err;
    deps.logger.error({ err, endpoint_id: id }, 'webhook.secret_unreadable');
    return 'secret_unreadable';
  }
}

async function tryOnce(
  deps: DeliverDeps,
  delivery: Delivery,
  target: Target,
  body: string,
  signal: AbortSignal,
): Promise<NextStep> {
  const startedMs = deps.clock.nowMs();
  const [current = ''] = target.secrets;
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Dealwright-Webhooks/1',
    ...signWebhook(delivery.id, Math.floor(startedMs / 1_000), body, target.secrets),
    ...(target.trutoSignature ? signForTruto(body, current) : {}),
  };
  const posted = await deps.post(target.url, headers, body, signal);
  // The lock was lost: whoever has it now sends again and writes it down.
  if (signal.aborted) return DONE;
  const now = deps.clock.nowMs();
  const decision = decideDelivery(posted, delivery.step + 1, deps.scheduleMs, now, deps.random());
  const outcome: DeliveryOutcome = {
    kind: decision.kind,
    tried: { atMs: startedMs, durationMs: now - startedMs, ...describe(posted) },
    ...(decision.kind === 'failed' ? { reason: decision.reason } : {}),
    ...(decision.kind === 'retry'
      ? { nextTryAtMs: decision.atMs, blockedUntilMs: decision.blockedUntilMs }
      : {}),
  };
  const failingSinceMs = await deps.persist(deps.logger, 'delivery', () =>
    deps.deliveries.finish(delivery, outcome),
  );
  log(deps, delivery, posted, decision, now - startedMs);
  if (delivery.callbackUrl === undefined) {
    const gone = posted.kind === 'answered' && posted.status === 410;
    if (gone) await deps.endpoints.disable(delivery.endpoint, 'gone');
    else if (isFailingTooLong(failingSinceMs ?? 0, now))
      await deps.endpoints.disable(delivery.endpoint, 'failing');
  }
  return decision.kind === 'retry' && failingSinceMs !== undefined ? waitUntil(decision.atMs) : DONE;
}

function describe(posted: Posted) {
  if (posted.kind === 'unanswered') return { error: posted.error };
  return {
    statusCode: posted.status,
    ...(posted.body === '' ? {} : { responseBody: redactResponse(posted.body) }),
  };
}

/** Nothing was sent, and nothing will be. */
async function end(
  deps: DeliverDeps,
  delivery: Delivery,
  reason: NonNullable<DeliveryOutcome['reason']>,
): Promise<NextStep> {
  await deps.persist(deps.logger, 'delivery', () =>
    deps.deliveries.finish(delivery, { kind: 'failed', reason }),
  );
  deps.logger.info({ delivery_id: delivery.id, endpoint_id: delivery.endpoint, reason }, 'delivery.not_sent');
  return DONE;
}

function log(
  deps: DeliverDeps,
  delivery: Delivery,
  posted: Posted,
  decision: ReturnType<typeof decideDelivery>,
  durationMs: number,
): void {
  deps.onTry({ outcome: decision.kind, durationMs });
  deps.logger.info(
    {
      delivery_id: delivery.id,
      endpoint_id: delivery.endpoint,
      type: delivery.type,
      try: delivery.step + 1,
      max: deps.scheduleMs.length,
      outcome: decision.kind,
      status: posted.kind === 'answered' ? posted.status : undefined,
      error: posted.kind === 'unanswered' ? posted.error : undefined,
      duration_ms: durationMs,
      next_at_ms: decision.kind === 'retry' ? decision.atMs : undefined,
    },
    'delivery.tried',
  );
}
