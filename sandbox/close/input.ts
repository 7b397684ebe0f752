import type { JsonObject } from './call.ts';
import { atLeast, atMost, FIELD_TEXTS, type FieldErrors } from './errors.ts';
import { VALUE_PERIODS, type ValuePeriod } from './money.ts';
import type { CloseState } from './state.ts';
import { parseDate, parseTimestamp } from './timestamps.ts';

/** The plain fields of a request body. Undefined is "not given"; null is "given as nothing". */
export type GivenFields = {
  leadId?: string | null;
  contactId?: string | null;
  userId?: string | null;
  createdBy?: string | null;
  statusId?: string | null;
  pipelineId?: string | null;
  value?: number | null;
  valuePeriod?: ValuePeriod | null;
  confidence?: number | null;
  note?: string | null;
  dateWon?: string | null;
  createdMs?: number | null;
  attachments?: unknown[] | null;
};

/** `"value": 5.0` is a float to Close, though JavaScript's parser cannot tell it from 5. */
const FLOAT_VALUE = /"value"\s*:\s*-?\d+(\.|\d*[eE])/;

/** Reads the known fields; unknown ones are passed over without a word, as the live API does. */
export function readFields(
  body: JsonObject,
  raw: Buffer,
  state: CloseState,
  errors: FieldErrors,
): GivenFields {
  const given: GivenFields = {};
  given.leadId = readReference(body.lead_id, state.leads, 'lead', errors);
  given.contactId = readReference(body.contact_id, state.contacts, 'contact', errors);
  given.userId = readReference(body.user_id, state.users, 'user', errors);
  given.createdBy = readReference(body.created_by, state.users, 'created_by', errors);
  given.statusId = readStatus(body.status_id, state, errors);
  given.pipelineId = readReference(body.pipeline_id, state.pipelines, 'pipeline', errors);
  given.value = readInteger(body.value, 'value', errors);
  if (typeof given.value === 'number' && FLOAT_VALUE.test(raw.toString('latin1'))) {
    errors.value = FIELD_TEXTS.notAnInt;
  }
  given.valuePeriod = readPeriod(body.value_period, errors);
  given.confidence = readConfidence(body.confidence, errors);
  given.note = readText(body.note, 'note', errors);
  given.dateWon = readWith(body.date_won, parseDate, 'date_won', FIELD_TEXTS.notADate, errors);
  given.createdMs = readWith(
    body.date_created,
    parseTimestamp,
    'date_created',
    FIELD_TEXTS.notADateTime,
    errors,
  );
  given.attachments = readList(body.attachments, 'attachments', errors);
  return given;
}

function readReference(
  value: unknown,
  records: Map<string, unknown>,
  errorKey: string,
  errors: FieldErrors,
): string | null | undefined {
  const id = readText(value, errorKey, errors);
  if (typeof id === 'string' && !records.has(id)) errors[errorKey] = FIELD_TEXTS.missingObject;
  return id;
}

function readStatus(value: unknown, state: CloseState, errors: FieldErrors): string | null | undefined {
  const id = readText(value, 'status', errors);
  if (typeof id === 'string' && !state.statuses.has(id)) errors.status = statusHelp(state);
  return id;
}

/** For statuses the text goes on with what would be valid. */
export function statusHelp(state: CloseState): string {
  return `${FIELD_TEXTS.notAChoice} Use one of: ${[...state.statuses.keys()].join(', ')}.`;
}

function readText(value: unknown, errorKey: string, errors: FieldErrors): string | null | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value;
  errors[errorKey] = FIELD_TEXTS.notText;
  return undefined;
}

function readInteger(value: unknown, errorKey: string, errors: FieldErrors): number | null | undefined {
  if (value === undefined || value === null) return value;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  errors[errorKey] = FIELD_TEXTS.notAnInt;
  return undefined;
}

function readConfidence(value: unknown, errors: FieldErrors): number | null | undefined {
  const confidence = readInteger(value, 'confidence', errors);
  if (typeof confidence === 'number' && confidence < 0) errors.confidence = atLeast(0);
  if (typeof confidence === 'number' && confidence > 100) errors.confidence = atMost(100);
  return confidence;
}

function readPeriod(value: unknown, errors: FieldErrors): ValuePeriod | null | undefined {
  if (value === undefined || value === null) return value;
  const period = VALUE_PERIODS.find((known) => known === value);
  if (period === undefined) errors.value_period = FIELD_TEXTS.notAChoice;
  return period;
}

function readWith<Parsed>(
  value: unknown,
  parse: (value: unknown) => Parsed | undefined,
  errorKey: string,
  text: string,
  errors: FieldErrors,
): Parsed | null | undefined {
  if (value === undefined || value === null) return value;
  const parsed = parse(value);
  if (parsed === undefined) errors[errorKey] = text;
  return parsed;
}

function readList(value: unknown, errorKey: string, errors: FieldErrors): unknown[] | null | undefined {
  if (value === undefined || value === null) return value;
  if (Array.isArray(value)) return value;
  errors[errorKey] = FIELD_TEXTS.notAList;
  return undefined;
}
