// How messages show an author's text: quoted, escaped and short, so that no document can make a message unstorable.

/** JSON-quoted, at most 80 characters of the text. */
export function quoteText(text: string): string {
  return text.length <= 80 ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, 77).toWellFormed())}…`;
}

/** A short rendering of any JSON value for "got …". */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return quoteText(value);
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return String(value);
}
