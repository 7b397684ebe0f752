import { z } from 'zod';
import type { AccountSettings } from '../../domain/integrated-account.ts';
import { findKey, isJsonObject } from '../merge-remote-data.ts';
import type { Call, Candidate, FindRequest, Found, Looked } from '../port.ts';
import { recordUrl } from './descriptor.ts';
import { query } from './reads.ts';
import { isSameId } from './record-id.ts';
import { soqlDateTime, soqlText } from './soql.ts';

/** How far Salesforce's clocks may lie before the one `sentAtProviderMs` was read from. */
const SKEW_MS = 120_000;

/** Records looked at; more of the same name, by the same user, in the same minutes cannot be told apart anyway. */
const ROWS_MAX = 200;

const text = z.string().nullish();
const Row = z.looseObject({
  Id: z.string(),
  Name: text,
  AccountId: text,
  Amount: z.number().nullish(),
  CloseDate: text,
  StageName: text,
  CreatedDate: text,
  IsDeleted: z.boolean().nullish(),
});
type Row = z.infer<typeof Row>;

const COMPARED = ['Name', 'AccountId', 'Amount', 'CloseDate', 'StageName'] as const;
type Compared = (typeof COMPARED)[number];

/**
 * Records of the same name that our own user made since the attempt, the Recycle Bin included, compared value by value.
 *
 * Absence is not believed where the look-up could have missed the record: the user is unknown, there were too many
 * rows, or one has our name and account but another value, as a trigger or flow may have changed it.
 */
export async function findByContent(
  call: Call,
  request: FindRequest,
  settings: AccountSettings,
): Promise<Looked<Found>> {
  const userId = request.facts?.user.id ?? '';
  const answer = await query(call, settings, {
    soql: contentSoql(request, userId),
    row: Row,
    purpose: 'probe',
    resource: 'queryAll',
  });
  if (!answer.ok) return answer;
  const { records } = answer.value;
  const compared = records.map((row) => ({ row, differing: differing(request.plan.content, row) }));
  const isOurs = userId !== '';
  const candidates = compared.map(({ row, differing: fields }): Candidate => {
    const matches = isOurs && fields.length === 0;
    return {
      remoteId: row.Id,
      url: recordUrl(request.credentials, row.Id),
      why: explain(row, fields, isOurs),
      matches,
    };
  });
  const isSuspicious = compared.some(
    ({ differing: fields }) => fields.length > 0 && !fields.includes('AccountId'),
  );
  const trustworthy = isOurs && records.length < ROWS_MAX && !isSuspicious;
  if (candidates.some((candidate) => candidate.matches))
    return { ok: true, value: { kind: 'found', by: 'content', candidates, trustworthy } };
  return { ok: true, value: { kind: 'none', trustworthy, candidates } };
}

/**
 * Whole seconds only: Salesforce stores no fractions. A backdated create (audit fields) is not found by its
 * `CreatedDate`, so then the time of its last change, which nobody can set, takes its place.
 */
function contentSoql({ plan, sentAtProviderMs }: FindRequest, userId: string): string {
  const { body } = plan.create;
  const isBackdated = isJsonObject(body) && findKey(body, 'CreatedDate', true) !== undefined;
  const conditions = [
    nameIs(String(plan.content.Name ?? '')),
    `${isBackdated ? 'SystemModstamp' : 'CreatedDate'} >= ${soqlDateTime(sentAtProviderMs - SKEW_MS)}`,
    ...(userId === '' ? [] : [`CreatedById = ${soqlText(userId)}`]),
  ];
  return `SELECT Id, IsDeleted, CreatedDate, ${COMPARED.join(', ')} FROM Opportunity WHERE ${conditions.join(' AND ')} ORDER BY CreatedDate, Id LIMIT ${ROWS_MAX}`;
}

/** As it was sent, and as it may be kept: nobody says what Salesforce does with line breaks, and with blanks that are not ASCII's. */
function nameIs(name: string): string {
  const spellings = [...new Set([name, normalise(name)])].map(soqlText);
  return spellings.length === 1 ? `Name = ${spellings[0]}` : `Name IN (${spellings.join(', ')})`;
}

/** The fields in which a record differs from what was asked; absent equals null. */
function differing(content: FindRequest['plan']['content'], row: Row): Compared[] {
  return COMPARED.filter((field) => !isSame(field, content[field] ?? null, row[field] ?? null));
}

function isSame(field: Compared, asked: string | number | null, stored: string | number | null): boolean {
  if (asked === null || stored === null) return asked === stored;
  if (field === 'Amount') return Math.abs(Number(asked) - Number(stored)) < 0.005;
  if (field === 'AccountId') return isSameId(String(asked), String(stored));
  return normalise(String(asked)) === normalise(String(stored));
}

/** Salesforce trims single-line texts, and may turn their line breaks into blanks. */
function normalise(value: string): string {
  return value.replace(/\s+/g, ' ').trim();
}

function explain(row: Row, fields: Compared[], isOurs: boolean): string {
  const when = row.CreatedDate ? ` created ${row.CreatedDate}` : '';
  const bin = row.IsDeleted === true ? ', in the Recycle Bin' : '';
  const agree =
    fields.length === 0 ? `same ${COMPARED.join(', ')}` : `same name, but other ${fields.join(', ')}`;
  return `${agree};${when}${isOurs ? ' by our user' : ' by somebody: our own user is unknown'}${bin}`;
}
