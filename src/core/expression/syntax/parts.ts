// The tree of an expression as such: what stands within a node, and how large the whole is.
import { assertNever } from '../../errors.ts';
import type { Expression, PathExpression } from './ast.ts';

/** The expressions that stand directly within this one. */
export function partsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'literal':
    case 'local':
      return [];
    case 'array':
      return node.items;
    case 'object':
      return node.entries.map(([, value]) => value);
    case 'path':
      return partsOfPath(node);
    case 'not':
    case 'negate':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'conditional':
      return [node.test, node.then, node.otherwise];
    case 'call':
      return node.args;
    default:
      return assertNever(node);
  }
}

function partsOfPath({ from, segments }: PathExpression): readonly Expression[] {
  const computed = segments.flatMap(({ selectors }) =>
    selectors.flatMap((selector) => (selector.kind === 'computed' ? [selector.expression] : [])),
  );
  return from === 'scope' ? computed : [from, ...computed];
}

/** Nodes and segments: what evaluating it once takes in steps, but for what it charges itself. */
export function weightOf(node: Expression): number {
  const own = node.kind === 'path' ? 1 + node.segments.length : 1;
  return partsOf(node).reduce((total, part) => total + weightOf(part), own);
}
