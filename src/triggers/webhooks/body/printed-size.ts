// How much longer a value is where PostgreSQL prints it.
import { type Json, writtenOutDigits } from '../../../core/json.ts';

/** Bytes that its numbers take beyond what JSON.stringify writes. */
export function extraDigits(value: Json): number {
  if (typeof value === 'number') return writtenOutDigits(value);
  if (typeof value !== 'object' || value === null) return 0;
  let sum = 0;
  for (const member of Object.values(value) as Json[]) sum += extraDigits(member);
  return sum;
}
