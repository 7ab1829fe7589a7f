// What the operators of two values do: without coercion, and charged.
import { assertNever } from '../errors.ts';
import type { Json } from '../json.ts';
import { ExpressionError } from './errors.ts';
import type { Evaluation } from './evaluation.ts';
import type { BinaryOperator } from './syntax/ast.ts';
import { checkedNumber, isDeepEqual, isLess, isMember, typeName } from './values.ts';

/** Those that see both values; the others decide by the left one whether there is a right one. */
export function applyOperator(
  operator: Exclude<BinaryOperator, '??' | '||' | '&&'>,
  left: Json,
  right: Json,
  evaluation: Evaluation,
): Json {
  switch (operator) {
    case '==':
      return isDeepEqual(evaluation, left, right);
    case '!=':
      return !isDeepEqual(evaluation, left, right);
    case '<':
      return isLess(evaluation, left, right);
    case '>':
      return isLess(evaluation, right, left);
    case '<=':
      return isOrdered(left, right) && !isLess(evaluation, right, left);
    case '>=':
      return isOrdered(left, right) && !isLess(evaluation, left, right);
    case 'in':
      return isIn(evaluation, left, right);
    case '+':
      if (typeof left === 'string' && typeof right === 'string') {
        evaluation.chargeText(left.length + right.length);
        return left + right;
      }
      if (typeof left === 'number' && typeof right === 'number') return checkedNumber(left + right, '"+"');
      throw new ExpressionError(
        'expression',
        `"+" adds two numbers or joins two strings, got ${typeName(left)} and ${typeName(right)}`,
      );
    case '-':
      return checkedNumber(number(left, operator) - number(right, operator), '"-"');
    case '*':
      return checkedNumber(number(left, operator) * number(right, operator), '"*"');
    case '/':
      return checkedNumber(number(left, operator) / number(right, operator), '"/"');
    case '%':
      return checkedNumber(number(left, operator) % number(right, operator), '"%"');
    default:
      return assertNever(operator);
  }
}

function isOrdered(left: Json, right: Json): boolean {
  return typeof left === typeof right && (typeof left === 'number' || typeof left === 'string');
}

function isIn(evaluation: Evaluation, value: Json, container: Json): boolean {
  if (container === null) return false;
  const answer = isMember(evaluation, value, container);
  if (answer !== null) return answer;
  throw new ExpressionError(
    'expression',
    `"in" needs an array, an object or a string on its right, got ${typeName(container)}`,
  );
}

/** For an operator of numbers. */
export function number(value: Json | undefined, operator: string): number {
  if (typeof value === 'number') return value;
  throw new ExpressionError('expression', `"${operator}" needs numbers, got ${typeName(value)}`);
}
