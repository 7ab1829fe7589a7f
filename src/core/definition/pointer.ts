// RFC 6901 JSON pointers: join, resolve, and cut back to what a document really has.

/** Appends segments to a pointer, escaped. */
export function joinPointer(base: string, ...segments: readonly (string | number)[]): string {
  let pointer = base;
  for (const segment of segments) pointer += `/${escapeSegment(segment)}`;
  return pointer;
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
