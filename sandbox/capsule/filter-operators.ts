import { dayOf } from './dates.ts';

/** What a field holds decides which operators it takes ("Filters"). */
export type FieldKind = 'text' | 'number' | 'date' | 'boolean' | 'choice';

/** What a field gives for one record; a choice gives all names it answers to, such as an id and a name. */
export type FieldValue = string | number | boolean | readonly (string | number)[] | null;

type Test = (actual: FieldValue) => boolean;
type Operator = (wanted: unknown, nowMs: number) => Test;

const is: Operator = (wanted) => (actual) => isSame(actual, wanted);
const isNot: Operator = (wanted) => (actual) => !isSame(actual, wanted);

const TEXT_OPERATORS: Record<string, Operator> = {
  is,
  'is not': isNot,
  contains: textTest((actual, wanted) => actual.includes(wanted)),
  'starts with': textTest((actual, wanted) => actual.startsWith(wanted)),
  'ends with': textTest((actual, wanted) => actual.endsWith(wanted)),
};

const OPERATORS: Record<FieldKind, Record<string, Operator>> = {
  text: TEXT_OPERATORS,
  choice: { is, 'is not': isNot },
  boolean: { is, 'is not': isNot },
  number: {
    is,
    'is not': isNot,
    'is greater than': (wanted) => (actual) => actual !== null && Number(actual) > Number(wanted),
    'is less than': (wanted) => (actual) => actual !== null && Number(actual) < Number(wanted),
  },
  date: {
    is,
    'is not': isNot,
    'is after': (wanted) => (actual) => typeof actual === 'string' && actual > String(wanted),
    'is before': (wanted) => (actual) => typeof actual === 'string' && actual < String(wanted),
    'is older than': (days, nowMs) => dateTest((day) => day < shiftedDay(nowMs, -Number(days))),
    'is within last': (days, nowMs) =>
      dateTest((day) => day >= shiftedDay(nowMs, -Number(days)) && day <= dayOf(nowMs)),
    'is within next': (days, nowMs) =>
      dateTest((day) => day >= dayOf(nowMs) && day <= shiftedDay(nowMs, Number(days))),
  },
};

/** The test an operator makes of a wanted value, or undefined when the field does not take the operator. */
export function findOperator(
  kind: FieldKind,
  name: unknown,
  wanted: unknown,
  nowMs: number,
): Test | undefined {
  const operators = OPERATORS[kind];
  if (typeof name !== 'string' || !Object.hasOwn(operators, name)) return undefined;
  return operators[name]?.(wanted, nowMs);
}

/** Numbers and their texts are the same, as on the wire; nothing is only like nothing. */
function isSame(actual: FieldValue, wanted: unknown): boolean {
  if (Array.isArray(actual)) return actual.some((part) => String(part) === String(wanted));
  if (actual === null || wanted === null || wanted === '') return actual === null && (wanted ?? '') === '';
  return String(actual) === String(wanted);
}

function textTest(compare: (actual: string, wanted: string) => boolean): Operator {
  return (wanted) => {
    const lower = String(wanted).toLowerCase();
    return (actual) => typeof actual === 'string' && compare(actual.toLowerCase(), lower);
  };
}

function dateTest(holds: (day: string) => boolean): Test {
  return (actual) => typeof actual === 'string' && holds(actual);
}

const DAY_MS = 86_400_000;

function shiftedDay(nowMs: number, days: number): string {
  return dayOf(nowMs + (Number.isFinite(days) ? days : 0) * DAY_MS);
}
