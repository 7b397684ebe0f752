import type { Answer } from '../core/provider.ts';
import { type CapsuleCall, isObject } from './call.ts';
import { createFailures, type Failures, failure, validationFailed } from './errors.ts';
import { findFilterField } from './filter-fields.ts';
import { findOperator } from './filter-operators.ts';
import { answerOpportunities, isIndexed } from './list.ts';
import type { Opportunity } from './opportunity.ts';

type Condition = (record: Opportunity) => boolean;

/** A read that is a POST: all conditions have to hold, and there is no order. */
export function filterOpportunities(call: CapsuleCall): Answer {
  const conditions =
    isObject(call.body) && isObject(call.body.filter) ? call.body.filter.conditions : undefined;
  if (!Array.isArray(conditions)) return failure('conditions', 'conditions is required', 'filter');
  const failures = createFailures();
  const tests = conditions.flatMap((condition: unknown) => readCondition(condition, call, failures) ?? []);
  if (failures.list.length > 0) return validationFailed(failures.list);
  const found: Opportunity[] = [];
  for (const record of call.state.opportunities.all()) {
    if (isIndexed(record, call) && tests.every((test) => test(record))) found.push(record);
  }
  return answerOpportunities(call, found);
}

function readCondition(condition: unknown, call: CapsuleCall, failures: Failures): Condition | undefined {
  if (!isObject(condition)) {
    failures.add('conditions', 'invalid condition', 'filter');
    return undefined;
  }
  const field = findFilterField(condition.field, call);
  if (field === undefined) {
    failures.add('field', 'invalid field name', 'filter');
    return undefined;
  }
  const operator = findOperator(field.kind, condition.operator, condition.value, call.nowMs);
  if (operator === undefined) {
    failures.add('operator', 'invalid operator', 'filter');
    return undefined;
  }
  return (record) => operator(field.read(record));
}
