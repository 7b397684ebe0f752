import type { Answer } from '../core/provider.ts';
import { type CloseCall, ok } from './call.ts';
import { FIELD_TEXTS, type FieldErrors, fieldErrors, missingRecord } from './errors.ts';
import { readFilters } from './list-filters.ts';
import { annualize, expected } from './money.ts';
import type { Opportunity } from './opportunity.ts';
import { readPaging } from './paging.ts';
import { keepFields, showOpportunity, userName } from './show-opportunity.ts';
import type { CloseState } from './state.ts';

export function getOpportunity(call: CloseCall): Answer {
  const record = call.state.opportunities.findReadable(call.id);
  if (record === undefined) return missingRecord('Opportunity');
  return ok(keepFields(showOpportunity(record, call.state), call.params.get('_fields')));
}

export function listOpportunities(call: CloseCall): Answer {
  const { params, state } = call;
  const errors: FieldErrors = {};
  const paging = readPaging(params, errors);
  const filter = readFilters(params, errors);
  const order = readOrder(params.get('_order_by'), state, errors);
  if (Object.keys(errors).length > 0) return fieldErrors(errors);

  const found: Opportunity[] = [];
  for (const record of candidates(params, state)) if (filter(record)) found.push(record);
  // Newest in the index last; turned round so that records of the same time come newest first.
  found.reverse().sort(order);
  const page = found.slice(paging.skip, paging.skip + paging.limit);
  const fields = params.get('_fields');
  return ok({
    data: page.map((record) => keepFields(showOpportunity(record, state), fields)),
    has_more: paging.skip + page.length < found.length,
    total_results: found.length,
    ...totals(found),
  });
}

/** Text queries ask the search index, which is further behind; a lead's list is looked up, not searched for. */
function candidates(params: Map<string, string>, state: CloseState): Iterable<Opportunity> {
  const { list, search } = state.opportunities;
  const index = params.has('query') ? search : list;
  const leadId = params.get('lead_id');
  return leadId === undefined ? index.all() : index.ofLead(leadId);
}

type Order = (a: Opportunity, b: Opportunity) => number;
type SortKey = (record: Opportunity) => number | string | null;

function readOrder(text: string | undefined, state: CloseState, errors: FieldErrors): Order {
  const written = text ?? '-date_updated';
  const isDescending = written.startsWith('-');
  const key = sortKeys(state)[isDescending ? written.slice(1) : written];
  if (key === undefined) {
    errors._order_by = FIELD_TEXTS.notAChoice;
    return () => 0;
  }
  const sign = isDescending ? -1 : 1;
  return (a, b) => sign * compare(key(a), key(b));
}

function sortKeys(state: CloseState): Record<string, SortKey> {
  return {
    date_won: (record) => record.dateWon,
    date_updated: (record) => record.updatedMs,
    date_created: (record) => record.createdMs,
    confidence: (record) => record.confidence,
    user_name: (record) => userName(state.users.get(record.userId)),
    value: (record) => record.value,
    annualized_value: annualizedValue,
    annualized_expected_value: (record) => expected(annualizedValue(record) ?? 0, record.confidence),
  };
}

function annualizedValue({ value, valuePeriod }: Opportunity): number | null {
  return value === null ? null : annualize(value, valuePeriod);
}

/** Records without a value come first. */
function compare(a: number | string | null, b: number | string | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

/** The sums every list carries; a monthly value counts twelve times in the annualized ones. */
function totals(records: Opportunity[]): Record<string, unknown> {
  const count = { one_time: 0, monthly: 0, annual: 0 };
  const value = { one_time: 0, monthly: 0, annual: 0 };
  const expectedValue = { one_time: 0, monthly: 0, annual: 0 };
  let annualizedTotal = 0;
  let annualizedExpected = 0;
  for (const record of records) {
    const amount = record.value ?? 0;
    const annualized = annualize(amount, record.valuePeriod);
    count[record.valuePeriod] += 1;
    value[record.valuePeriod] += amount;
    expectedValue[record.valuePeriod] += expected(amount, record.confidence);
    annualizedTotal += annualized;
    annualizedExpected += expected(annualized, record.confidence);
  }
  return {
    count_by_value_period: count,
    total_value_one_time: value.one_time,
    total_value_monthly: value.monthly,
    total_value_annual: value.annual,
    total_value_annualized: annualizedTotal,
    expected_value_one_time: expectedValue.one_time,
    expected_value_monthly: expectedValue.monthly,
    expected_value_annual: expectedValue.annual,
    expected_value_annualized: annualizedExpected,
  };
}
