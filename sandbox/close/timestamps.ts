const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DATE_ONLY = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** Records carry microseconds and a spelled-out zone. */
export function formatTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000+00:00`;
}

/** Pipelines and events carry no zone at all; they mean UTC. */
export function formatTimestampWithoutZone(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000`;
}

/** Milliseconds of an ISO date or time; text without a zone is UTC. Undefined when it is neither. */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (DATE_ONLY.test(value)) return validMs(`${value}T00:00:00Z`);
  const match = DATE_TIME.exec(value);
  if (match === null) return undefined;
  return validMs(match[3] === undefined ? `${value.replace(' ', 'T')}Z` : value.replace(' ', 'T'));
}

/** The date part of an ISO date or time, as written. */
export function parseDate(value: unknown): string | undefined {
  if (typeof value !== 'string' || parseTimestamp(value) === undefined) return undefined;
  return value.slice(0, 10);
}

/** "Today" is the caller's day: x-tz-offset is the offset from UTC in hours ("Timezone Offsets"). */
export function todayAt(nowMs: number, tzOffset: string | undefined): string {
  const hours = tzOffset === undefined ? 0 : Number(tzOffset);
  const offsetMs = Number.isFinite(hours) && Math.abs(hours) <= 24 ? hours * HOUR_MS : 0;
  return new Date(nowMs + offsetMs).toISOString().slice(0, 10);
}

export function daysMs(days: number): number {
  return days * DAY_MS;
}

/** Date.parse rolls 30 February over to March, so the day is checked against its month first. */
function validMs(iso: string): number | undefined {
  const day = Number(iso.slice(8, 10));
  // Day 0 of the month after is the last day of the month; months count from 0 here.
  const lastDay = new Date(Date.UTC(Number(iso.slice(0, 4)), Number(iso.slice(5, 7)), 0)).getUTCDate();
  const ms = day > lastDay ? Number.NaN : Date.parse(iso);
  return Number.isNaN(ms) ? undefined : ms;
}
