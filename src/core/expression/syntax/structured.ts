// Structured conditions, the seed's filters: `{ all | any: […] }`, `{ not }`, `{ path, operator, value }`.
import { assertNever } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { type Run, required } from '../compile.ts';
import { type Compiled, compileText, compileValue, escapePointer, type Findings } from '../compile-value.ts';
import { ExpressionError } from '../errors.ts';
import type { Evaluation } from '../evaluation.ts';
import { MAX_NESTING } from '../limits.ts';
import { nearestName } from '../nearest.ts';
import { patternProblem, testPattern } from '../regex.ts';
import { isDeepEqual, isLess, isMember, typeName } from '../values.ts';

export const STRUCTURED_OPERATORS = [
  'equals',
  'not_equals',
  'contains',
  'not_contains',
  'regex',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'not_in',
  'exists',
  'not_exists',
] as const;
type StructuredOperator = (typeof STRUCTURED_OPERATORS)[number];

const FORMS: readonly (readonly string[])[] = [['all'], ['any'], ['not'], ['path', 'operator', 'value']];
const MEMBERS = FORMS.flat();

/** A condition of any form: bare expression, true, false, or structured. */
export function compileStructured(value: Json, pointer: string, findings: Findings, depth = 0): Compiled {
  if (typeof value === 'boolean') return { kind: 'constant', value };
  if (typeof value === 'string') return compileText('expression', value, pointer, findings, true);
  if (!isJsonObject(value))
    return refuse(
      findings,
      pointer,
      'a condition must be an expression, true, false, or { all | any | not | path }',
    );
  if (depth >= MAX_NESTING) return refuse(findings, pointer, `nested deeper than ${MAX_NESTING} levels`);
  const form = FORMS.find((members) => Object.hasOwn(value, members[0]!));
  if (form === undefined)
    return refuse(findings, pointer, 'expected one of "all", "any", "not" or "path"', nearestMember(value));
  for (const key of Object.keys(value))
    if (!form.includes(key))
      refuse(
        findings,
        `${pointer}/${escapePointer(key)}`,
        `"${key}" does not go with "${form[0]}"`,
        nearestName(key, MEMBERS) ?? undefined,
      );
  switch (form[0]) {
    case 'all':
    case 'any':
      return compileGroup(value, form[0], pointer, findings, depth);
    case 'not': {
      const inner = toTruth(compileStructured(value.not!, `${pointer}/not`, findings, depth + 1));
      return { kind: 'run', run: (evaluation) => !inner(evaluation) };
    }
    default:
      return compileComparison(value, pointer, findings);
  }
}

function nearestMember(value: JsonObject): string | undefined {
  for (const key of Object.keys(value)) {
    const near = nearestName(key, MEMBERS);
    if (near !== null) return near;
  }
  return undefined;
}

function refuse(findings: Findings, pointer: string, message: string, hint?: string): Compiled {
  findings.problems.push({ pointer, code: 'expression', message, ...(hint === undefined ? {} : { hint }) });
  return { kind: 'constant', value: null };
}

function compileGroup(
  value: JsonObject,
  kind: 'all' | 'any',
  pointer: string,
  findings: Findings,
  depth: number,
): Compiled {
  const members = value[kind]!;
  if (!Array.isArray(members))
    return refuse(findings, `${pointer}/${kind}`, `"${kind}" must be an array of conditions`);
  const terms = members.map((member: Json, i) =>
    toTruth(compileStructured(member, `${pointer}/${kind}/${i}`, findings, depth + 1)),
  );
  const run: Run =
    kind === 'all'
      ? (evaluation) => terms.every((term) => term(evaluation))
      : (evaluation) => terms.some((term) => term(evaluation));
  return { kind: 'run', run };
}

/** null and missing are false; anything else that is no boolean is an error. */
export function toTruth(compiled: Compiled): (evaluation: Evaluation) => boolean {
  if (compiled.kind === 'constant') return () => truth(compiled.value);
  return (evaluation) => truth(compiled.run(evaluation) ?? null);
}

function compileComparison(value: JsonObject, pointer: string, findings: Findings): Compiled {
  const { path, operator: given } = value;
  const operator = STRUCTURED_OPERATORS.find((known) => known === given);
  if (operator === undefined)
    return refuse(
      findings,
      `${pointer}/operator`,
      `operator must be one of ${STRUCTURED_OPERATORS.join(', ')}`,
      typeof given === 'string' ? (nearestName(given, STRUCTURED_OPERATORS) ?? undefined) : undefined,
    );
  if (typeof path !== 'string')
    return refuse(findings, `${pointer}/path`, 'path must be a path such as $.input.name');
  const left = compileText('expression', path, `${pointer}/path`, findings, true);
  const read: Run = left.kind === 'run' ? left.run : () => left.value;
  const needsValue = operator !== 'exists' && operator !== 'not_exists';
  if (needsValue !== Object.hasOwn(value, 'value'))
    return refuse(
      findings,
      needsValue ? pointer : `${pointer}/value`,
      needsValue ? `"${operator}" needs a value` : `"${operator}" takes no value`,
    );
  if (!needsValue)
    return { kind: 'run', run: (evaluation) => (read(evaluation) !== undefined) === (operator === 'exists') };
  const right = compileValue(value.value!, `${pointer}/value`, findings);
  if (right.kind === 'constant') checkConstant(operator, right.value, `${pointer}/value`, findings);
  const expected = right.kind === 'run' ? required(right.run) : () => right.value;
  return {
    kind: 'run',
    run: (evaluation) => compare(operator, read(evaluation) ?? null, expected(evaluation), evaluation),
  };
}

function checkConstant(operator: StructuredOperator, value: Json, pointer: string, findings: Findings): void {
  if ((operator === 'in' || operator === 'not_in') && !Array.isArray(value))
    refuse(findings, pointer, `"${operator}" needs an array as value`);
  if (operator !== 'regex') return;
  const problem = typeof value === 'string' ? patternProblem(value) : '"regex" needs a pattern as value';
  if (problem !== null) refuse(findings, pointer, problem);
}

/** Filters judge data from outside: a value of another type does not fit, and is no error. */
function compare(operator: StructuredOperator, left: Json, right: Json, evaluation: Evaluation): boolean {
  switch (operator) {
    case 'equals':
      return isDeepEqual(evaluation, left, right);
    case 'not_equals':
      return !isDeepEqual(evaluation, left, right);
    case 'contains':
      return isMember(evaluation, right, left) === true;
    case 'not_contains':
      return isMember(evaluation, right, left) !== true;
    case 'in':
      return isMember(evaluation, left, right) === true;
    case 'not_in':
      return isMember(evaluation, left, right) !== true;
    case 'regex':
      return (
        typeof left === 'string' &&
        typeof right === 'string' &&
        testPattern(evaluation, 'search', left, right)
      );
    case 'gt':
      return isLess(evaluation, right, left);
    case 'lt':
      return isLess(evaluation, left, right);
    case 'gte':
      return isLess(evaluation, right, left) || isSameOrdered(left, right);
    case 'lte':
      return isLess(evaluation, left, right) || isSameOrdered(left, right);
    case 'exists':
    case 'not_exists':
      throw new Error('answered without a value');
    default:
      return assertNever(operator);
  }
}

function isSameOrdered(left: Json, right: Json): boolean {
  return left === right && (typeof left === 'number' || typeof left === 'string');
}

/** The truth of a condition's value. */
export function truth(value: Json): boolean {
  if (typeof value === 'boolean') return value;
  if (value === null) return false;
  throw new ExpressionError('expression', `a condition must yield true or false, got ${typeName(value)}`);
}
