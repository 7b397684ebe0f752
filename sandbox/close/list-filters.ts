import { FIELD_TEXTS, type FieldErrors } from './errors.ts';
import type { Opportunity } from './opportunity.ts';
import { matchesWords, wordsOf } from './text-match.ts';
import { parseDate, parseTimestamp } from './timestamps.ts';

export type Filter = (record: Opportunity) => boolean;

/** The filters that compare text, plain or as `__in` with a comma-separated list. */
const TEXT_FIELDS: Record<string, (record: Opportunity) => string> = {
  lead_id: (record) => record.leadId,
  user_id: (record) => record.userId,
  status_id: (record) => record.status.id,
  status_label: (record) => record.status.label,
  status_type: (record) => record.status.type,
  value_period: (record) => record.valuePeriod,
};

type Comparison = (a: number | string, b: number | string) => boolean;

const COMPARISONS: Record<string, Comparison> = {
  '': (a, b) => a === b,
  __gt: (a, b) => a > b,
  __gte: (a, b) => a >= b,
  __lt: (a, b) => a < b,
  __lte: (a, b) => a <= b,
};

/** All filters of a list request, joined by "and". Names that are no filter are passed over. */
export function readFilters(params: Map<string, string>, errors: FieldErrors): Filter {
  const filters: Filter[] = [];
  for (const [name, text] of params) {
    const filter =
      name === 'query' ? readQuery(text) : (readTextFilter(name, text) ?? readDateFilter(name, text, errors));
    if (filter !== undefined) filters.push(filter);
  }
  return (record) => filters.every((filter) => filter(record));
}

function readTextFilter(name: string, text: string): Filter | undefined {
  const isList = name.endsWith('__in');
  const read = TEXT_FIELDS[isList ? name.slice(0, -'__in'.length) : name];
  if (read === undefined) return undefined;
  if (!isList) return (record) => read(record) === text;
  const allowed = new Set(text.split(','));
  return (record) => allowed.has(read(record));
}

function readDateFilter(name: string, text: string, errors: FieldErrors): Filter | undefined {
  const match = /^(date_created|date_updated|date_won)(__gte?|__lte?|)$/.exec(name);
  if (match === null) return undefined;
  const [, field, operator = ''] = match;
  const compare = COMPARISONS[operator];
  const bound = field === 'date_won' ? parseDate(text) : parseTimestamp(text);
  if (bound === undefined || compare === undefined) {
    errors[name] = FIELD_TEXTS.notADateTime;
    return undefined;
  }
  switch (field) {
    case 'date_won':
      return (record) => record.dateWon !== null && compare(record.dateWon, bound);
    case 'date_created':
      return (record) => compare(record.createdMs, bound);
    default:
      return (record) => compare(record.updatedMs, bound);
  }
}

/** `note:word`, `note:"some words"` or bare words; all have to be found. */
function readQuery(text: string): Filter {
  const phrases = [...text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)].map((match) =>
    wordsOf(match[2] ?? match[3] ?? ''),
  );
  return (record) => phrases.every((phrase) => matchesWords(record.note ?? '', phrase));
}
