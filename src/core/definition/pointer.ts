// RFC 6901 JSON pointers: join, resolve, and cut back to what a document really has, or to what is short enough to be told.

/** Characters of a pointer that is told to people. */
export const MAX_TOLD_CHARS = 500;

/** Appends segments to a pointer, escaped. */
export function joinPointer(base: string, ...segments: readonly (string | number)[]): string {
  let pointer = base;
  for (const segment of segments) pointer += `/${escapeSegment(segment)}`;
  return pointer;
}

/** The pointer of a path, or of what holds it where that is too long to be told: made without writing the whole. */
export function toldPointer(path: readonly (string | number)[]): string {
  let pointer = '';
  for (const segment of path) {
    if (String(segment).length > MAX_TOLD_CHARS) return pointer;
    const next = joinPointer(pointer, segment);
    if (next.length > MAX_TOLD_CHARS) return pointer;
    pointer = next;
  }
  return pointer;
}

/** The pointer, or that of the innermost part that holds it and is short enough to be told. */
export function shortPointer(pointer: string): string {
  if (pointer.length <= MAX_TOLD_CHARS) return pointer;
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/', MAX_TOLD_CHARS)));
}

/** The unescaped segments of a pointer; the empty pointer has none. */
export function pointerSegments(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export type Resolved = { readonly found: true; readonly value: unknown } | { readonly found: false };

/** Follows a pointer through own members only. */
export function resolvePointer(document: unknown, pointer: string): Resolved {
  let value = document;
  for (const segment of pointerSegments(pointer)) {
    const next = member(value, segment);
    if (!next.found) return next;
    value = next.value;
  }
  return { found: true, value };
}

/** The longest beginning of the pointer that exists in the document or is missing from an object that does. */
export function nearestPointer(document: unknown, pointer: string): string {
  let value = document;
  let reached = '';
  for (const segment of pointerSegments(pointer)) {
    const next = member(value, segment);
    if (!next.found)
      return typeof value === 'object' && value !== null ? joinPointer(reached, segment) : reached;
    reached = joinPointer(reached, segment);
    value = next.value;
  }
  return reached;
}

function member(value: unknown, segment: string): Resolved {
  if (Array.isArray(value))
    return /^(0|[1-9]\d*)$/.test(segment) && Number(segment) < value.length
      ? { found: true, value: value[Number(segment)] as unknown }
      : { found: false };
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return { found: false };
  return { found: true, value: (value as Record<string, unknown>)[segment] };
}

function escapeSegment(segment: string | number): string {
  if (typeof segment === 'number') return String(segment);
  return segment.includes('~') || segment.includes('/')
    ? segment.replaceAll('~', '~0').replaceAll('/', '~1')
    : segment;
}
