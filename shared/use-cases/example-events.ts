import { toIso } from '../clock.ts';
import { JOB_EXAMPLE } from '../contract/examples.ts';
import type { EventType } from '../domain/webhook.ts';

/** Data of a made-up event, in the shape of a true one; `test` tells them apart. */
export function exampleEvent(type: EventType, nowMs: number): Record<string, unknown> {
  const now = toIso(nowMs);
  const [subject, what = ''] = type.split('.');
  switch (subject) {
    case 'job':
      return { ...JOB_EXAMPLE, status: what, updated_at: now, finished_at: now, test: true };
    case 'integrated_account':
      return {
        id: JOB_EXAMPLE.integrated_account_id,
        object: 'integrated_account',
        name: 'Example',
        provider: JOB_EXAMPLE.provider,
        status: what === 'reactivated' ? 'active' : 'needs_reauth',
        test: true,
      };
    default:
      return { id: JOB_EXAMPLE.id, object: subject, status: what, updated_at: now, test: true };
  }
}
