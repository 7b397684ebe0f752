import {
  decimalText,
  fromMinorUnits,
  MINOR_DIGITS_MAX,
  minorDigits,
  toMinorUnits,
} from '../../domain/money.ts';
import type { OpportunityInput } from '../../domain/opportunity.ts';
import { createNotes, fail, findMissing, type MappingNotes } from '../mapping-notes.ts';
import { mergeRemoteData, pointerSegment } from '../merge-remote-data.ts';
import type { MappingInput, MappingResult, Marker, RequiredField } from '../port.ts';
import { resolveStage } from '../resolve-stage.ts';
import { bodyKeyOf, fieldIdOf, mapCustomFields } from './custom-fields.ts';
import { composeNote, noteWithMarker, toFirstLine } from './note.ts';
import { type Body, toPlan } from './plan-body.ts';

export const REQUIRED: RequiredField[] = [
  {
    field: 'account',
    pointer: '/account',
    isGiven: (opportunity) => opportunity.account !== undefined,
    remoteKeys: ['lead_id'],
    // Without a lead Close does not refuse: it makes a new lead called "Untitled".
    message: 'Close keeps every opportunity on a lead: send account.id (or remote_data.lead_id)',
  },
  {
    field: 'owner',
    pointer: '/owner',
    isGiven: (opportunity) => opportunity.owner !== undefined,
    remoteKeys: ['user_id'],
    message: 'is required for Close: send owner.id (or remote_data.user_id)',
  },
];

/**
 * Our opportunity as Close's create call. Facts are needed for two things: names (stages, custom fields), and
 * the organisation's currency, which scales the amount. A plan made without them is for validation only.
 * @see https://developer.close.com/api/resources/opportunities/create
 */
export function plan(input: MappingInput): MappingResult {
  const notes = createNotes();
  const { opportunity, marker } = input;
  notes.failures.push(...findMissing(REQUIRED, opportunity));
  noteUnsupported(input, notes);
  const mapped: Body = {
    ...given('lead_id', opportunity.account?.id),
    ...given('user_id', opportunity.owner?.id),
    ...given('contact_id', opportunity.contact?.[0]?.id),
    ...given('status_id', mapStage(input, notes)),
    ...given('value', mapAmount(input, notes)),
    // The date part exactly as written: shifting zones would move the day.
    ...given('date_won', opportunity.close_date?.slice(0, 10)),
    ...given('date_created', toInstant(opportunity.created_at)),
    ...given('note', mapNote(opportunity, notes)),
    ...mapCustomFields(opportunity.custom_fields ?? {}, input.facts, markerFieldOf(marker), notes),
  };
  const body = finishBody(mapped, input, notes);
  const { failures, unsupported, warnings, staleFacts } = notes;
  if (failures.length > 0) return { ok: false, failures, unsupported, staleFacts };
  return { ok: true, plan: toPlan(body, input.remoteQuery), warnings, unsupported };
}

function given(key: string, value: unknown): Body {
  return value === undefined ? {} : { [key]: value };
}

function noteUnsupported({ opportunity, facts }: MappingInput, notes: MappingNotes): void {
  const unsupported = (pointer: string, message: string) =>
    notes.unsupported.push({ pointer, code: 'unsupported_field', message });
  if (opportunity.tags?.length) unsupported('/tags', 'Close has no tags on opportunities');
  const own = facts?.currency.code;
  if (opportunity.currency !== undefined && facts !== undefined && opportunity.currency !== own)
    unsupported(
      '/currency',
      `Close keeps all amounts in the organisation's currency${own ? `, here ${own}` : ''}; the amount is written without conversion`,
    );
  const [first, ...more] = opportunity.contact ?? [];
  more.forEach(({ id }, index) => {
    const pointer = `/contact/${index + 1}`;
    if (id === first?.id)
      notes.warnings.push({ code: 'duplicate_contact', pointer, message: `"${id}" is given more than once` });
    else unsupported(pointer, `Close keeps one contact per opportunity; "${id}" is not written`);
  });
}

function mapStage({ opportunity, facts }: MappingInput, notes: MappingNotes): string | undefined {
  const remote = opportunity.remote_data;
  // An explicit status_id wins anyway; then the stage's name need not be found.
  if (!opportunity.stage || typeof remote?.status_id === 'string') return opportunity.stage?.id;
  const pipeline = typeof remote?.pipeline_id === 'string' ? remote.pipeline_id : undefined;
  const stage = resolveStage(opportunity.stage, facts, { value: pipeline, key: 'pipeline_id' });
  if (stage.kind === 'resolved') return stage.id;
  notes.failures.push(stage.failure);
  notes.staleFacts ||= stage.staleFacts;
  return undefined;
}

function mapAmount({ opportunity, facts }: MappingInput, notes: MappingNotes): number | undefined {
  const { amount } = opportunity;
  if (amount === undefined) return undefined;
  const currency = facts?.currency.code ?? opportunity.currency;
  const digits = currency === undefined ? 2 : minorDigits(currency);
  if (facts !== undefined && facts.currency.code === undefined)
    notes.warnings.push({
      code: 'currency_unknown',
      pointer: '/amount',
      message: `Close did not tell the organisation's currency; the amount is written with ${digits} decimals`,
    });
  const { minor, exact } = toMinorUnits(amount, digits);
  if (exact) return minor;
  // Nobody knows the currency yet: refuse only what no currency has. The fraction left in the plan cannot be
  // written by accident, Close refuses a value that is no integer.
  const finest = toMinorUnits(amount, MINOR_DIGITS_MAX);
  if (currency === undefined && facts === undefined && finest.exact)
    return fromMinorUnits(finest.minor, MINOR_DIGITS_MAX - 2);
  return fail(
    notes,
    '/amount',
    'invalid_body',
    `${decimalText(amount)} has more decimals than ${currency ?? 'the currency'} has (${digits})`,
  );
}

/** A moment in UTC; a date alone is its midnight in UTC. Close keeps microseconds, we send milliseconds. */
function toInstant(text: string | undefined): string | undefined {
  return text === undefined ? undefined : new Date(text).toISOString();
}

function mapNote({ name, description }: OpportunityInput, notes: MappingNotes): string | undefined {
  if (name === undefined) {
    if (description)
      notes.warnings.push({
        code: 'name_from_description',
        pointer: '/description',
        message:
          'Close has no title: without a name, the first line of the description reads back as the name',
      });
    return composeNote(undefined, description);
  }
  const { line, changed } = toFirstLine(name);
  if (line.trim() === '') return fail(notes, '/name', 'invalid_body', 'must not be blank');
  if (changed)
    notes.warnings.push({
      code: 'name_changed',
      pointer: '/name',
      message: 'Close keeps the name as the first line of a note; line breaks were replaced by spaces',
    });
  return composeNote(line, description);
}

function markerFieldOf(marker: Marker | undefined): string | undefined {
  return marker?.kind === 'custom_field' ? fieldIdOf(marker.field) : undefined;
}

/** `remote_data` merged last, then the marker, which nothing may take away. */
function finishBody(mapped: Body, { opportunity, marker }: MappingInput, notes: MappingNotes): Body {
  const field = markerFieldOf(marker);
  const protectedPaths = field === undefined ? [] : [[bodyKeyOf(field)]];
  const { body, refused } = mergeRemoteData(mapped, opportunity.remote_data, { protectedPaths });
  for (const pointer of refused)
    notes.warnings.push({
      code: 'marker_protected',
      pointer,
      message: 'is the write marker and was not replaced',
    });
  for (const key of Object.keys(opportunity.remote_data ?? {}))
    if (/__c$/i.test(key))
      fail(
        notes,
        `/remote_data/${pointerSegment(key)}`,
        'invalid_body',
        'is a Salesforce field; Close would ignore it',
      );
  if (body.lead_id !== undefined && (typeof body.lead_id !== 'string' || body.lead_id === ''))
    fail(
      notes,
      '/remote_data/lead_id',
      'invalid_body',
      'must be the id of a lead: without one Close makes a new lead',
    );
  if (field !== undefined && marker) body[bodyKeyOf(field)] = marker.value;
  if (marker?.kind === 'text') body.note = noteWithMarker(body.note, marker.value);
  return body;
}
