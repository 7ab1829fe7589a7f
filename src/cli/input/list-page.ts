// What lists of the command line have in common.
import { refuse } from '../refusal.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Refuses what is given and is no id; null where nothing is given. */
export function requireUuid(text: string | undefined, name: string): string | null {
  if (text === undefined) return null;
  if (!UUID.test(text)) throw refuse('usage', `${name}: "${text}" is not an id that a list gave`);
  return text;
}
