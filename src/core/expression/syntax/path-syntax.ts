// Parses the segments of a path by RFC 9535 (and `[name]`, a computed index, where the caller allows it).

import { FORBIDDEN_KEYS, MAX_DESCENTS } from '../limits.ts';
import type { Expression, Filter, Segment, Selector } from './ast.ts';
import type { Cursor } from './cursor.ts';

export interface PathContext {
  /** Parses the expression of a computed segment; absent where a path is RFC 9535 and nothing else. */
  readonly computed?: (cursor: Cursor) => Expression;
  /** Parses what follows `?`; handed in because filters hold paths again (filter-syntax.ts). */
  readonly filter: (cursor: Cursor, context: PathContext) => Filter;
  /** `..` seen so far in this path and its filters. */
  descents: number;
}

const TASK_ID = /[A-Za-z_][A-Za-z0-9_-]*/y;

/** Reads all segments that stand here and leaves the cursor behind the last. `before` are those already read. */
export function parseSegments(
  cursor: Cursor,
  context: PathContext,
  before: readonly Segment[] = [],
): Segment[] {
  const segments = [...before];
  for (;;) {
    const start = cursor.pos;
    cursor.skipSpace();
    if (cursor.accept('..')) {
      if (++context.descents > MAX_DESCENTS)
        cursor.fail(`a path may have at most ${MAX_DESCENTS} ".."`, start);
      const selectors = cursor.accept('[') ? parseBracket(cursor, context) : [parseShorthand(cursor)];
      segments.push({ descendant: true, selectors });
    } else if (cursor.accept('.')) {
      segments.push(child(isTasks(segments, context) ? parseTaskId(cursor) : parseShorthand(cursor)));
    } else if (cursor.accept('[')) {
      segments.push({ descendant: false, selectors: parseBracket(cursor, context) });
    } else {
      cursor.pos = start;
      return segments;
    }
  }
}

export function child(selector: Selector): Segment {
  return { descendant: false, selectors: [selector] };
}

/** The name of a segment that is exactly one name, else null. */
export function segmentName(segment: Segment | undefined): string | null {
  if (segment === undefined || segment.descendant || segment.selectors.length !== 1) return null;
  const selector = segment.selectors[0]!;
  return selector.kind === 'name' ? selector.name : null;
}

/** True when a segment selects at most one value: one name, index or computed key. */
export function isDefinite(segment: Segment): boolean {
  if (segment.descendant || segment.selectors.length !== 1) return false;
  const { kind } = segment.selectors[0]!;
  return kind === 'name' || kind === 'index' || kind === 'computed';
}

// Task ids may hold hyphens, which RFC 9535 shorthand does not: `tasks.fetch-user.output` means the task, never a
// subtraction (nothing can be subtracted from a task).
function isTasks(segments: readonly Segment[], context: PathContext): boolean {
  return context.computed !== undefined && segments.length === 1 && segmentName(segments[0]) === 'tasks';
}

function parseTaskId(cursor: Cursor): Selector {
  TASK_ID.lastIndex = cursor.pos;
  const name = TASK_ID.exec(cursor.text)?.[0];
  if (name === undefined) return parseShorthand(cursor);
  const at = cursor.pos;
  cursor.pos += name.length;
  return nameSelector(cursor, name, at);
}

function parseShorthand(cursor: Cursor): Selector {
  if (cursor.accept('*')) return { kind: 'wildcard' };
  const at = cursor.pos;
  const name = cursor.acceptName();
  if (name === null)
    cursor.fail(
      `expected a name or * after the dot, found ${cursor.found()}`,
      at,
      /[0-9]/.test(cursor.peek()) ? 'write an index in brackets: [0]' : undefined,
    );
  return nameSelector(cursor, name, at);
}

function nameSelector(cursor: Cursor, name: string, at: number): Selector {
  if (FORBIDDEN_KEYS.has(name)) cursor.fail(`the key "${name}" may not be read`, at);
  return { kind: 'name', name };
}

function parseBracket(cursor: Cursor, context: PathContext): Selector[] {
  return cursor.nested(() => {
    const selectors: Selector[] = [];
    cursor.skipSpace();
    if (context.computed !== undefined && (cursor.peek() === '(' || cursor.peekName() !== null)) {
      const expression = context.computed(cursor);
      cursor.skipSpace();
      cursor.expect(']', '"]"');
      return [{ kind: 'computed', expression }];
    }
    do {
      cursor.skipSpace();
      selectors.push(parseSelector(cursor, context));
      cursor.skipSpace();
    } while (cursor.accept(','));
    cursor.expect(']', '"," or "]"');
    return selectors;
  });
}

function parseSelector(cursor: Cursor, context: PathContext): Selector {
  const char = cursor.peek();
  if (char === "'" || char === '"') {
    const at = cursor.pos;
    return nameSelector(cursor, cursor.readString(true), at);
  }
  if (cursor.accept('*')) return { kind: 'wildcard' };
  if (cursor.accept('?')) return { kind: 'filter', filter: context.filter(cursor, context) };
  const start = cursor.acceptInteger();
  const afterStart = cursor.pos;
  cursor.skipSpace();
  if (!cursor.accept(':')) {
    cursor.pos = afterStart;
    if (start === null)
      cursor.fail(
        `expected a quoted name, an index, a slice, * or a filter, found ${cursor.found()}`,
        cursor.pos,
        cursor.peek() === '(' ? 'scripts are not evaluated' : undefined,
      );
    return { kind: 'index', index: start };
  }
  cursor.skipSpace();
  const end = cursor.acceptInteger();
  const afterEnd = cursor.pos;
  cursor.skipSpace();
  let step: number | null = null;
  if (cursor.accept(':')) {
    cursor.skipSpace();
    step = cursor.acceptInteger();
  } else cursor.pos = afterEnd;
  return {
    kind: 'slice',
    ...(start === null ? {} : { start }),
    ...(end === null ? {} : { end }),
    step: step ?? 1,
  };
}
