// Instants in requests: RFC 3339, as PostgreSQL can take them.
import { beginsWithDay } from '../../core/calendar-day.ts';

/** The instant in UTC, or null where it is none, or none of the years 1 to 9999. */
export function readInstant(text: string): string | null {
  const ms = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isNaN(ms) || !beginsWithDay(text)) return null;
  const instant = new Date(ms).toISOString();
  return /^(?!0000)\d{4}-/.test(instant) ? instant : null;
}
