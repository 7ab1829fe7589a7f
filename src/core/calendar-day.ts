// Which days there are.

/** True for texts that begin with a day of the calendar. Date.parse takes 30 February for 2 March. */
export function beginsWithDay(text: string): boolean {
  const day = text.slice(0, 10);
  const midnight = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}
