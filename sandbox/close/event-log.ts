import type { Opportunity } from './opportunity.ts';
import type { CloseOptions } from './options.ts';
import type { Lead } from './organisation.ts';
import { daysMs } from './timestamps.ts';

export type EventAction = 'created' | 'updated' | 'deleted';

/** One logged change. The records are referenced, not copied; they never change once stored. */
export type LoggedEvent = {
  readonly number: number;
  readonly atMs: number;
  readonly action: EventAction;
  readonly objectId: string;
  readonly leadId: string;
  readonly userId: string;
  readonly apiKeyId: string | null;
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly after: Opportunity | Lead | undefined;
  readonly before: Opportunity | undefined;
};

export type EventLog = {
  add(event: Omit<LoggedEvent, 'number' | 'atMs'>): void;
  /** Newest first, only what can be seen now; of one lead where that is asked for, since that is quick. */
  visible(leadId?: string): Generator<LoggedEvent>;
};

/** The log goes back 30 days ("Event Log"). */
const KEPT_DAYS = 30;

export function createEventLog(nowMs: () => number, options: () => CloseOptions): EventLog {
  const events: LoggedEvent[] = [];
  const byLead = new Map<string, LoggedEvent[]>();

  function isVisible(event: LoggedEvent, now: number): boolean {
    const { eventLagMs, eventLateEvery } = options();
    const isLate = event.number % eventLateEvery === 0;
    return now - event.atMs >= (isLate ? eventLagMs : 0);
  }

  return {
    add(event) {
      const logged: LoggedEvent = {
        number: events.length + 1,
        atMs: nowMs(),
        action: event.action,
        objectId: event.objectId,
        leadId: event.leadId,
        userId: event.userId,
        apiKeyId: event.apiKeyId,
        requestId: event.requestId,
        method: event.method,
        path: event.path,
        after: event.after,
        before: event.before,
      };
      events.push(logged);
      const ofLead = byLead.get(event.leadId);
      if (ofLead === undefined) byLead.set(event.leadId, [logged]);
      else ofLead.push(logged);
    },
    *visible(leadId) {
      const candidates = leadId === undefined ? events : (byLead.get(leadId) ?? []);
      const now = nowMs();
      const oldestMs = now - daysMs(KEPT_DAYS);
      for (let at = candidates.length - 1; at >= 0; at -= 1) {
        const event = candidates[at];
        if (event === undefined || event.atMs < oldestMs) return;
        if (isVisible(event, now)) yield event;
      }
    },
  };
}
