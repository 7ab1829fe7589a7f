// A webhook's filters: `[{ fieldPath, operator, value, logicGroup }]`, OR within a logicGroup, AND between groups.

import { joinPointer } from '../../../core/definition/pointer.ts';
import type { Problem, Result } from '../../../core/errors.ts';
import { ExpressionError } from '../../../core/expression/errors.ts';
import { compileCondition, evaluateCondition, type Mapping } from '../../../core/expression/mapping.ts';
import { nearestName } from '../../../core/expression/nearest.ts';
import { type Scope, setOwn } from '../../../core/expression/scope.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import { MAX_FIELD_PATH_CHARS, MAX_FILTERS, MAX_LOGIC_GROUP_CHARS } from '../../../core/trigger/webhook.ts';
import { checkReads } from './event-reads.ts';
import { EVENT_ROOTS } from './event-scope.ts';
import { fieldPathExpression } from './field-path.ts';

const MEMBERS = ['fieldPath', 'operator', 'value', 'logicGroup'] as const;

/**
 * Compiles a webhook's filters; no filters let everything pass. A filter without a logicGroup is a group of its own.
 * Values are taken as they are: `{{ }}` in one is text. All problems at once, with pointers such as
 * `/filters/0/operator`. The function never throws: a filter that cannot be evaluated on an event is false.
 */
export function compileFilters(
  filters: Json | undefined,
  pointer = '/filters',
): Result<(scope: Scope) => boolean> {
  if (filters === undefined || filters === null) return { ok: true, value: () => true };
  if (!Array.isArray(filters) || filters.length > MAX_FILTERS)
    return { ok: false, problems: [problem(pointer, `filters must be a list of at most ${MAX_FILTERS}`)] };
  const problems: Problem[] = [];
  const groups = new Map<string, Mapping[]>();
  filters.forEach((filter: Json, i) => {
    const compiled = compileFilter(filter, `${pointer}/${i}`);
    if (!compiled.ok) {
      problems.push(...compiled.problems);
      return;
    }
    const { group, condition } = compiled.value;
    // No group's key begins so: a filter alone.
    const key = group ?? `#${i}`;
    groups.set(key, [...(groups.get(key) ?? []), condition]);
  });
  if (problems.length > 0) return { ok: false, problems };
  const all = [...groups.values()];
  return { ok: true, value: (scope) => all.every((any) => any.some((filter) => holds(filter, scope))) };
}

function holds(filter: Mapping, scope: Scope): boolean {
  try {
    return evaluateCondition(filter, scope);
  } catch (error) {
    if (error instanceof ExpressionError) return false;
    throw error;
  }
}

function compileFilter(
  filter: Json,
  pointer: string,
): Result<{ readonly group: string | null; readonly condition: Mapping }> {
  if (!isJsonObject(filter))
    return { ok: false, problems: [problem(pointer, `a filter must be an object of ${MEMBERS.join(', ')}`)] };
  const problems = checkShape(filter, pointer);
  if (problems.length > 0) return { ok: false, problems };
  const condition = compileCondition(
    {
      path: fieldPathExpression(filter.fieldPath as string),
      operator: filter.operator!,
      ...(Object.hasOwn(filter, 'value') ? { value: literal(filter.value!) } : {}),
    },
    pointer,
    { roots: EVENT_ROOTS },
  );
  if (!condition.ok)
    return { ok: false, problems: condition.problems.map((found) => inFilter(found, pointer)) };
  const reads = checkReads(condition.value.references);
  if (condition.value.references.length === 0)
    reads.push(problem(`${pointer}/path`, 'fieldPath must read something of the event', 'body.action'));
  if (reads.length > 0) return { ok: false, problems: reads.map((found) => inFilter(found, pointer)) };
  const { logicGroup } = filter;
  const group = logicGroup === undefined || logicGroup === null ? null : `=${String(logicGroup)}`;
  return { ok: true, value: { group, condition: condition.value } };
}

function checkShape(filter: JsonObject, pointer: string): Problem[] {
  const problems: Problem[] = [];
  for (const key of Object.keys(filter))
    if (!MEMBERS.some((member) => member === key))
      problems.push(
        problem(
          joinPointer(pointer, key),
          `a filter has ${MEMBERS.join(', ')}`,
          nearestName(key, MEMBERS) ?? undefined,
        ),
      );
  if (typeof filter.fieldPath !== 'string' || filter.fieldPath.length > MAX_FIELD_PATH_CHARS)
    problems.push(problem(`${pointer}/fieldPath`, 'fieldPath must be a path such as body.action'));
  if (filter.operator === undefined)
    problems.push(problem(`${pointer}/operator`, 'a filter needs an operator'));
  const { logicGroup = null } = filter;
  const isGroup =
    logicGroup === null ||
    Number.isSafeInteger(logicGroup) ||
    (typeof logicGroup === 'string' && logicGroup.length <= MAX_LOGIC_GROUP_CHARS);
  if (!isGroup)
    problems.push(problem(`${pointer}/logicGroup`, 'logicGroup must be a short text or a whole number'));
  return problems;
}

/** The value as an expression that yields just it. */
function literal(value: Json): Json {
  if (typeof value === 'string')
    return value.startsWith('$') || value.includes('{{') ? `{{ ${JSON.stringify(value)} }}` : value;
  if (Array.isArray(value)) return value.map(literal);
  if (!isJsonObject(value)) return value;
  const copy: Record<string, Json> = {};
  for (const [key, member] of Object.entries(value)) setOwn(copy, key, literal(member));
  return copy;
}

/** Conditions call the path `path`; here it is `fieldPath`. */
function inFilter(found: Problem, pointer: string): Problem {
  return found.pointer === `${pointer}/path` ? { ...found, pointer: `${pointer}/fieldPath` } : found;
}

function problem(pointer: string, message: string, hint?: string): Problem {
  return { pointer, code: 'expression', message, ...(hint === undefined ? {} : { hint }) };
}
