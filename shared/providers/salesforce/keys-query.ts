import { z } from 'zod';
import { findKey } from '../merge-remote-data.ts';
import type { AnsweredCall } from '../port.ts';
import { toId18 } from './record-id.ts';
import { CompositeAnswer, queryAnswer } from './responses.ts';
import { soqlText } from './soql.ts';

const Row = z.looseObject({ Id: z.string().min(15), IsDeleted: z.boolean().nullish() });

/** Asks which keys have a record. */
export function keysSoql(field: string, keys: readonly string[]): string {
  return `SELECT Id, IsDeleted, ${field} FROM Opportunity WHERE ${field} IN (${keys.map(soqlText).join(',')})`;
}

/**
 * Key → record id, from a composite answer with the query as its one part. A record in the Recycle Bin still proves that its
 * row was written, but a live one with the same key is the better answer.
 * @returns undefined when the answer does not say so much, or not all of it.
 */
export function readKeys(answer: AnsweredCall, field: string): Map<string, string> | undefined {
  if (answer.status !== 200) return undefined;
  const composite = CompositeAnswer.safeParse(answer.body);
  const [part] = composite.success ? composite.data.compositeResponse : [];
  if (part?.httpStatusCode !== 200) return undefined;
  const page = queryAnswer(Row).safeParse(part.body);
  if (!page.success || !page.data.done) return undefined;
  const byKey = new Map<string, { id: string; isLive: boolean }>();
  for (const row of page.data.records) {
    // The answer spells the field as the organisation does.
    const key = row[findKey(row, field, true) ?? field];
    if (typeof key !== 'string') return undefined;
    const isLive = row.IsDeleted !== true;
    if (isLive || byKey.get(key) === undefined) byKey.set(key, { id: toId18(row.Id), isLive });
  }
  return new Map([...byKey].map(([key, { id }]): [string, string] => [key, id]));
}
