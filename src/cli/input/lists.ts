// What lists of the command line have in common.
import type { BoundedPage } from '../../db/connection/byte-bounded.ts';
import type { TextRule } from '../../resources/text-rule.ts';
import { shorten } from '../output/terminal.ts';
import { refuse } from '../refusal.ts';
import { oneLine } from '../safe-output.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string) => UUID.test(text);

/** Refuses what is given and is no id; null where nothing is given. */
export function requireUuid(text: string, name: string): string;
export function requireUuid(text: string | undefined, name: string): string | null;
export function requireUuid(text: string | undefined, name: string): string | null {
  if (text === undefined) return null;
  if (!UUID.test(text)) throw refuse('usage', `${name}: "${text}" is not an id that a list gave`);
  return text;
}

/** Refuses an argument that is not as its rule says: wrong usage. */
export function requireText(rule: TextRule, text: string, name: string): void {
  if (!rule.pattern.test(text))
    throw refuse('usage', `${name}: expected ${rule.expected}; got "${oneLine(shorten(text, 100))}"`);
}

/** A page as --json prints it: `nextCursor` is the key of its last row, null where there are no more. */
export function printedPage<Row>(
  { rows: items, hasMore }: BoundedPage<Row>,
  keyOf: (row: Row) => string,
): { readonly items: readonly Row[]; readonly nextCursor: string | null } {
  const last = items.at(-1);
  return { items, nextCursor: hasMore && last !== undefined ? keyOf(last) : null };
}
