// What an expression reads of a scope, taken out of it as plain data, so that the expression can be evaluated later and elsewhere
// with the same result: over the copy and what has come since.
import type { Json } from '../json.ts';
import { forceMembers, readScope, type Scope, setOwn, wholeScope } from './scope.ts';
import type { Reference } from './syntax/references.ts';

/** By root. What is missing stays missing; roots in `except` are left out. Throws what reading the scope throws. */
export function captureReads(
  references: readonly Reference[],
  scope: Scope,
  except: readonly string[],
): Record<string, Json> {
  const captured: Record<string, Json> = {};
  // The shorter first: what it takes holds what the longer would.
  const reads = references
    .filter(({ root }) => !except.includes(root))
    .toSorted((a, b) => a.path.length - b.path.length);
  if (reads.some(({ root }) => root === '$'))
    for (const [name, value] of Object.entries(wholeScope(scope) as Record<string, Json>))
      setOwn(captured, name, value);
  for (const { root, path } of reads) {
    if (root === '$') continue;
    const value = readRoot(scope, root);
    if (value === undefined) continue;
    copyAlong(captured, root, value, namesOf(path));
  }
  return captured;
}

function readRoot(scope: Scope, root: string): Json | undefined {
  const value = readScope(scope, root);
  return root === 'tasks' ? forceMembers(value) : value;
}

// An element keeps its place only in the whole array.
function namesOf(path: Reference['path']): string[] {
  const end = path.findIndex((step) => typeof step !== 'string');
  return (end < 0 ? path : path.slice(0, end)) as string[];
}

/** Copies `value`, or only what stands at `path` below it, to `target[name]`. */
function copyAlong(target: Record<string, Json>, name: string, value: Json, path: readonly string[]): void {
  const [next, ...rest] = path;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (next === undefined || !isObject) {
    setOwn(target, name, value);
    return;
  }
  const known = Object.hasOwn(target, name) ? target[name] : undefined;
  // Taken as a whole by a shorter read.
  if (known === value) return;
  const copy = (known ?? {}) as Record<string, Json>;
  if (known === undefined) setOwn(target, name, copy);
  const member = Object.hasOwn(value, next) ? (value as Record<string, Json>)[next] : undefined;
  if (member !== undefined) copyAlong(copy, next, member, rest);
}
