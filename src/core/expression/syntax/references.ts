// Lists what an expression reads: for validation against ancestors and schemas, without evaluating anything.
import { assertNever } from '../../errors.ts';
import { rootQueries } from '../path/scope-path.ts';
import type { Expression, PathExpression } from './ast.ts';
import { isDefinite, segmentName } from './path-syntax.ts';

/** One read of the scope. */
export interface Reference {
  /** 'input', 'tasks', 'item' …; `parameters` is reported as 'input', and a query over the whole scope as '$'. */
  readonly root: string;
  /** The static names and indexes behind the root, up to the first computed or indefinite segment. */
  readonly path: readonly (string | number)[];
  /** True if `path` is the whole, definite path. */
  readonly complete: boolean;
  /** True where missing is tolerated: left of `??`, operand of an operator or function, exists(), a condition itself. */
  readonly guarded: boolean;
  /** Of the text in the author's document. */
  readonly pointer: string;
}

/** The references of an expression; `guarded` says whether it may itself be missing. */
export function collectReferences(expression: Expression, guarded: boolean, pointer: string): Reference[] {
  const found: Reference[] = [];
  visit(expression, guarded, pointer, found);
  return found;
}

function visit(node: Expression, guarded: boolean, pointer: string, found: Reference[]): void {
  switch (node.kind) {
    case 'literal':
    case 'local':
      return;
    case 'array':
      // An element that is missing would be a silent null in a list: never tolerated.
      for (const item of node.items) visit(item, false, pointer, found);
      return;
    case 'object':
      for (const [, value] of node.entries) visit(value, false, pointer, found);
      return;
    case 'path':
      visitPath(node, guarded, pointer, found);
      return;
    case 'not':
    case 'negate':
      visit(node.operand, true, pointer, found);
      return;
    case 'binary':
      visit(node.left, true, pointer, found);
      visit(node.right, node.operator === '??' ? guarded : true, pointer, found);
      return;
    case 'conditional':
      visit(node.test, true, pointer, found);
      visit(node.then, guarded, pointer, found);
      visit(node.otherwise, guarded, pointer, found);
      return;
    case 'call':
      // What map() makes of an element is an element: never silently null.
      for (const [i, arg] of node.args.entries()) visit(arg, node.name !== 'map' || i === 0, pointer, found);
      return;
    default:
      assertNever(node);
  }
}

function visitPath(node: PathExpression, guarded: boolean, pointer: string, found: Reference[]): void {
  const { segments } = node;
  if (node.from === 'scope') found.push(reference(segments, guarded, pointer));
  else visit(node.from, true, pointer, found);
  for (const query of rootQueries(segments)) found.push(reference(query.segments, true, pointer));
  for (const { selectors } of segments)
    for (const selector of selectors)
      if (selector.kind === 'computed') visit(selector.expression, false, pointer, found);
}

function reference(segments: PathExpression['segments'], guarded: boolean, pointer: string): Reference {
  const name = segmentName(segments[0]);
  if (name === null) return { root: '$', path: [], complete: false, guarded, pointer };
  const path: (string | number)[] = [];
  for (const segment of segments.slice(1)) {
    const selector = isDefinite(segment) ? segment.selectors[0] : undefined;
    if (selector?.kind === 'name') path.push(selector.name);
    else if (selector?.kind === 'index') path.push(selector.index);
    else break;
  }
  return {
    root: name === 'parameters' ? 'input' : name,
    path,
    complete: path.length === segments.length - 1,
    guarded,
    pointer,
  };
}
