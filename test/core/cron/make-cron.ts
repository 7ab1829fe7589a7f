// Short ways to say a schedule and a moment in tests.
import { type Cron, createCron } from '../../../src/core/cron/next.ts';

export function cron(expression: string, timezone = 'UTC'): Cron {
  const made = createCron(expression, timezone);
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join('; '));
  return made.value;
}

export const at = (iso: string) => Date.parse(iso);
export const iso = (instant: number | null) =>
  instant === null ? null : new Date(instant).toISOString().replace(':00.000Z', 'Z');
