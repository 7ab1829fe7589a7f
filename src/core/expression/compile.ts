// Turns the tree of an expression into closures. undefined means missing, and goes no further than the next operand.
import { assertNever } from '../errors.ts';
import type { Json } from '../json.ts';
import { ExpressionError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import { Arguments } from './functions/arguments.ts';
import { FUNCTIONS, OVER_ELEMENTS } from './functions/registry.ts';
import { applyOperator, number } from './operators.ts';
import { type ComputeKey, compileQuery, readChild, selectAll, walkDefinite } from './path/query.ts';
import { forceMembers, readScope, setOwn } from './scope.ts';
import type { Expression, PathExpression } from './syntax/ast.ts';
import { weightOf } from './syntax/parts.ts';
import { isDefinite, segmentName } from './syntax/path-syntax.ts';
import { checkedNumber, measureJson, typeName } from './values.ts';

/** Evaluates to a value, or to undefined where a path is missing (`evaluation.missing` then says which). */
export type Run = (evaluation: Evaluation) => Json | undefined;

export function compileRun(node: Expression): Run {
  switch (node.kind) {
    case 'literal': {
      const { value } = node;
      return () => value;
    }
    case 'array': {
      const items = node.items.map((item) => required(compileRun(item)));
      return (evaluation) => {
        evaluation.charge(items.length);
        return items.map((item) => item(evaluation));
      };
    }
    case 'object': {
      const entries = node.entries.map(([key, value]) => [key, required(compileRun(value))] as const);
      return (evaluation) => {
        evaluation.charge(entries.length);
        const object: Record<string, Json> = {};
        for (const [key, value] of entries) setOwn(object, key, value(evaluation));
        return object;
      };
    }
    case 'local': {
      const { name } = node;
      // The grammar lets these names stand where there is an element only.
      return (evaluation) => evaluation.element?.[name];
    }
    case 'path':
      return compilePath(node);
    case 'not': {
      const operand = compileBoolean(node.operand, '!');
      return (evaluation) => !operand(evaluation);
    }
    case 'negate': {
      const operand = compileRun(node.operand);
      return (evaluation) => checkedNumber(-number(operand(evaluation), '-'), '"-"');
    }
    case 'binary':
      return compileBinary(node);
    case 'conditional': {
      const test = compileBoolean(node.test, '? :');
      const then = compileRun(node.then);
      const otherwise = compileRun(node.otherwise);
      return (evaluation) => (test(evaluation) ? then(evaluation) : otherwise(evaluation));
    }
    case 'call':
      return OVER_ELEMENTS.has(node.name) ? compileOverElements(node) : compileCall(node);
    default:
      return assertNever(node);
  }
}

/** The same, but a missing value is the error `missing_path`. */
export function required(run: Run): (evaluation: Evaluation) => Json {
  return (evaluation) => {
    const value = run(evaluation);
    return value === undefined ? failMissing(evaluation) : value;
  };
}

/** Throws `missing_path` for the path that was missing last. */
export function failMissing(evaluation: Evaluation): never {
  const path = evaluation.missing;
  if (path === null) throw new ExpressionError('missing_path', 'the value is missing');
  const text = path.from !== 'scope' || path.text.startsWith('$') ? path.text : `$.${path.text}`;
  throw new ExpressionError('missing_path', `${text} is missing${whereItStops(path, evaluation)}`, text);
}

/** `: $.input.customer has no "id"`, for paths of plain names and indexes. */
function whereItStops(path: PathExpression, evaluation: Evaluation): string {
  const root = segmentName(path.segments[0]);
  const { element } = evaluation;
  if (path.from !== 'scope') return element === null ? '' : ` in element ${element.index}`;
  if (root === null) return '';
  let value: Json | undefined = readScope(evaluation.scope, root);
  let at = `$.${root}`;
  if (value === undefined) return `: there is no "${root}" here`;
  for (const segment of path.segments.slice(1)) {
    const selector = segment.selectors[0];
    if (!isDefinite(segment) || (selector?.kind !== 'name' && selector?.kind !== 'index')) return '';
    const key = selector.kind === 'name' ? selector.name : selector.index;
    value = readChild(value, key);
    if (value === undefined) return `: ${at} has no ${typeof key === 'number' ? `[${key}]` : `"${key}"`}`;
    at += typeof key === 'number' ? `[${key}]` : `.${key}`;
  }
  return '';
}

function compilePath(node: PathExpression): Run {
  const { prefix, steps } = compileQuery(node.segments);
  const computeKey = compileKeys(node);
  const note = (evaluation: Evaluation): undefined => {
    evaluation.missing = node;
    return undefined;
  };
  if (node.from !== 'scope') {
    const from = compileRun(node.from);
    return (evaluation) => {
      const start = walkDefinite(from(evaluation), prefix, evaluation, computeKey);
      if (start === undefined) return note(evaluation);
      return steps.length === 0 ? start : selectAll(start, steps, evaluation, evaluation);
    };
  }
  const root = segmentName(node.segments[0]);
  if (root === null) return (evaluation) => selectAll(evaluation.whole(), steps, evaluation, evaluation);
  const rest = prefix.slice(1);
  // `tasks` and one task may hold lazy members; deeper values are plain.
  const isTasks = root === 'tasks' && rest.length === 0;
  const isTask = root === 'tasks' && rest.length === 1;
  return (evaluation) => {
    const start = isTasks ? evaluation.member(root) : readScope(evaluation.scope, root);
    let value = walkDefinite(start, rest, evaluation, computeKey);
    if (value === undefined) return note(evaluation);
    if (isTask) value = forceMembers(value, 1)!;
    return steps.length === 0 ? value : selectAll(value, steps, evaluation, evaluation);
  };
}

function compileKeys(node: PathExpression): ComputeKey {
  const runs = new Map<Expression, (evaluation: Evaluation) => Json>();
  for (const { selectors } of node.segments)
    for (const selector of selectors)
      if (selector.kind === 'computed')
        runs.set(selector.expression, required(compileRun(selector.expression)));
  return ({ expression }, evaluation) => {
    const key = runs.get(expression)!(evaluation);
    if (typeof key === 'string') evaluation.chargeReading(key);
    if (typeof key === 'string' || (typeof key === 'number' && Number.isInteger(key))) return key;
    throw new ExpressionError(
      'expression',
      `the index in ${node.text} must be a string or a whole number, got ${typeName(key)}`,
    );
  };
}

function compileBoolean(node: Expression, operator: string): (evaluation: Evaluation) => boolean {
  const run = compileRun(node);
  return (evaluation) => {
    const value = run(evaluation) ?? null;
    if (typeof value === 'boolean') return value;
    if (value === null) return false;
    throw new ExpressionError(
      'expression',
      `"${operator}" needs true, false or null, got ${typeName(value)}`,
    );
  };
}

// Each element is charged by the size of its expression; and since elements may share one large value, what map() gives is
// measured before anything is made of it.
function compileOverElements({ name, args, at }: Expression & { kind: 'call' }): Run {
  const list = compileRun(args[0]!);
  const body = args[1]!;
  const take = name === 'map' ? compileElement(body) : compileChoice(body, name);
  const steps = weightOf(body);
  return (evaluation) => {
    const values = [list(evaluation) ?? null];
    if (typeof values[0] === 'string') evaluation.chargeReading(values[0]);
    const elements = new Arguments(evaluation, name, values, at).list(0);
    const outer = evaluation.element;
    const result: Json[] = [];
    for (const [index, item] of elements.entries()) {
      evaluation.charge(steps);
      evaluation.element = { item, index, outer };
      take(evaluation, item, result);
    }
    evaluation.element = outer;
    if (name === 'map') measureJson(evaluation, result);
    return result;
  };
}

type Take = (evaluation: Evaluation, item: Json, result: Json[]) => void;

function compileElement(body: Expression): Take {
  const make = required(compileRun(body));
  return (evaluation, _item, result) => {
    result.push(make(evaluation));
  };
}

function compileChoice(body: Expression, name: string): Take {
  const holds = compileBoolean(body, `${name}()`);
  return (evaluation, item, result) => {
    if (holds(evaluation)) result.push(item);
  };
}

function compileBinary(node: Expression & { kind: 'binary' }): Run {
  const { operator } = node;
  if (operator === '||' || operator === '&&') {
    const left = compileBoolean(node.left, operator);
    const right = compileBoolean(node.right, operator);
    return operator === '||' ? (e) => left(e) || right(e) : (e) => left(e) && right(e);
  }
  const left = compileRun(node.left);
  const right = compileRun(node.right);
  if (operator === '??') return (evaluation) => left(evaluation) ?? right(evaluation);
  return (evaluation) =>
    applyOperator(operator, left(evaluation) ?? null, right(evaluation) ?? null, evaluation);
}

function compileCall({ name, args, at }: Expression & { kind: 'call' }): Run {
  const runs = args.map(compileRun);
  if (name === 'exists') {
    const path = runs[0]!;
    const isList = args[0]?.kind === 'path' && !args[0].segments.every(isDefinite);
    return (evaluation) => {
      const value = path(evaluation);
      return isList && Array.isArray(value) ? value.length > 0 : value !== undefined;
    };
  }
  const { call } = FUNCTIONS.get(name)!;
  return (evaluation) => {
    evaluation.charge(5);
    const values = runs.map((run) => run(evaluation) ?? null);
    // Whatever the function does with them: what reads texts more than once charges the rest itself.
    for (const value of values) if (typeof value === 'string') evaluation.chargeReading(value);
    return call(new Arguments(evaluation, name, values, at));
  };
}
