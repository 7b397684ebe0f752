import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { AccountQueues } from '../../shared/queues/account-queues.ts';
import type { EventTag } from '../../shared/redis/keys.ts';
import type { DeliveryStore } from '../../shared/stores/delivery-store.ts';
import type { EventRef, EventStore } from '../../shared/stores/event-store.ts';

/** Events or deliveries looked at in one partition and one sweep. */
const BATCH = 500;
/** Whoever wrote an event fans it out at once; what is older than this was left behind. */
const LEFT_BEHIND_MS = 1_000;
/** A pending delivery whose engine job exists is looked at again this much later. */
const LOOK_AGAIN_MS = 60_000;

/** Fans out what its writers left behind: they died, or had too much at hand. @returns how many events. */
export async function fanOutLeft(deps: {
  partitions: number;
  events: Pick<EventStore, 'left'>;
  fanOut: (ref: EventRef) => Promise<unknown>;
  clock: Clock;
  logger: Logger;
}): Promise<number> {
  const before = deps.clock.nowMs() - LEFT_BEHIND_MS;
  const tags: EventTag[] = ['webhooks', ...Array.from({ length: deps.partitions }, (_, p) => p)];
  const left = await Promise.all(tags.map((tag) => deps.events.left(tag, before, BATCH)));
  const refs = tags.flatMap((tag, i) => (left[i] ?? []).map((id): EventRef => ({ tag, id })));
  for (let i = 0; i < refs.length; i += 50) await Promise.all(refs.slice(i, i + 50).map(deps.fanOut));
  if (refs.length > 0) deps.logger.info({ events: refs.length }, 'events.fanned_out_late');
  return refs.length;
}

/** Queues pending deliveries again that the engine does not know, in a round of their own. @returns how many. */
export async function requeueDeliveries(deps: {
  partitions: number;
  deliveries: Pick<DeliveryStore, 'dueOrphans' | 'find' | 'reopen' | 'lookAgain' | 'forget'>;
  queues: Pick<AccountQueues, 'hasDelivery' | 'addDelivery' | 'ringDelivery'>;
  clock: Clock;
  logger: Logger;
}): Promise<number> {
  const { deliveries, queues, clock, logger } = deps;
  const due = await Promise.all(
    Array.from({ length: deps.partitions }, (_, p) => deliveries.dueOrphans(p, BATCH)),
  );
  let requeued = 0;
  const heal = async (id: string): Promise<void> => {
    const delivery = await deliveries.find(id);
    if (delivery?.status !== 'pending') return deliveries.forget(id);
    const { endpoint, round } = delivery;
    if (await queues.hasDelivery(endpoint, id, round))
      return deliveries.lookAgain(id, clock.nowMs() + LOOK_AGAIN_MS);
    const opened = await deliveries.reopen(id, { lostRound: round });
    if (!opened) return;
    await queues.addDelivery(endpoint, id, opened.round, opened.atMs - clock.nowMs());
    await queues.ringDelivery(endpoint);
    requeued += 1;
    logger.warn({ delivery_id: id, round: opened.round }, 'delivery.requeued');
  };
  const ids = due.flat();
  for (let i = 0; i < ids.length; i += 50) await Promise.all(ids.slice(i, i + 50).map(heal));
  return requeued;
}
