import { isJsonObject } from '../merge-remote-data.ts';
import type { WritePlan } from '../port.ts';
import { comparableNote } from './note.ts';
import { parseTime } from './timestamps.ts';

export type Body = Record<string, unknown>;

/** Every path of Close's API ends in a slash; without it the answer is a 404. */
export const CREATE_PATH = '/api/v1/opportunity/';

export function toPlan(body: Body, remoteQuery: Record<string, unknown>): WritePlan {
  const query = Object.keys(remoteQuery).length === 0 ? {} : { query: remoteQuery };
  const lead = typeof body.lead_id === 'string' ? { parentId: body.lead_id } : {};
  return {
    create: { method: 'POST', path: CREATE_PATH, ...query, body, purpose: 'create' },
    followUps: [],
    content: contentOf(body),
    ...lead,
  };
}

/**
 * What tells one opportunity on a lead from another. Owner, status and contact are left out: workflows of the
 * customer change them right after a create, and a changed record would then not be recognised.
 */
export function contentOf(record: Body): Record<string, string | number | null> {
  return {
    lead_id: textOrNull(record.lead_id),
    note: comparableNote(record.note),
    value: typeof record.value === 'number' ? record.value : null,
    date_won: textOrNull(record.date_won)?.slice(0, 10) ?? null,
    date_created: parseTime(record.date_created) ?? null,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The body a plan sends, for who needs to look into it. */
export function bodyOf(plan: WritePlan): Body {
  return isJsonObject(plan.create.body) ? plan.create.body : {};
}
