// Compiles `path`, `by` and `weights` of an aggregation: what is read from each element. A text that begins with `$` is an
// RFC 9535 path in which `$` is the element; any other text is an expression that sees the element as `item`.
import type { Selector } from '../core/aggregate.ts';
import type { NodeDefinition } from '../core/definition/model.ts';
import { isTemplate } from '../core/definition/template.ts';
import { ExpressionError } from '../core/expression/errors.ts';
import { compileExpression, evaluateMapping, type Mapping } from '../core/expression/mapping.ts';
import { compileDocumentPath, readDocument } from '../core/expression/path/document-path.ts';
import { SCOPE_NAMES, type Scope, STEP_BUDGET } from '../core/expression/scope.ts';
import { isJsonObject, type Json } from '../core/json.ts';
import { compiled, compileField, invalidField, readField } from './compile-config.ts';

/** An element of an aggregation: where it came from, so that weights can name it. */
export interface Element {
  readonly value: Json;
  /** The parent's taskId, the branch's name, or the position as text. */
  readonly key: string;
  /** Among all parents or items, also those that gave no element. */
  readonly position: number;
}

export interface PreparedSelector {
  readonly mappings: readonly Mapping[];
  bind(scope: Scope, elements: readonly Element[]): Selector;
}

/** `path` or `by`; null where the author wrote none. */
export function prepareSelector(
  node: NodeDefinition,
  field: 'path' | 'by' | 'weights',
): PreparedSelector | null {
  const text = readField(node, field);
  if (text === undefined) return null;
  if (typeof text !== 'string') throw invalidField(node, field, 'a path or an expression', text);
  const pointer = `/config/${field}`;
  if (text.startsWith('$')) {
    const path = compiled(node, compileDocumentPath(text, pointer));
    return {
      mappings: [],
      bind: (scope) =>
        named(node, field, (element) => required(text, readDocument(path, element, scope[STEP_BUDGET]))),
    };
  }
  const expression = compiled(node, compileExpression(text, pointer));
  return {
    mappings: [expression],
    bind: (scope) =>
      named(node, field, (element, index) => evaluateMapping(expression, { ...scope, item: element, index })),
  };
}

/**
 * `weights`: a text for each element as above; or a list by position, or an object by taskId or branch name, also from a
 * template (`{{ … }}`, or a path that begins with a name of the scope, such as `$.input.weights`).
 */
export function prepareWeights(node: NodeDefinition): PreparedSelector | null {
  const written = readField(node, 'weights');
  if (written === undefined || (typeof written === 'string' && !readsScope(written)))
    return prepareSelector(node, 'weights');
  const weights = compileField(node, 'weights');
  return {
    mappings: [weights],
    bind(scope, elements) {
      const given = evaluateMapping(weights, scope);
      if (typeof given !== 'object' || given === null)
        throw invalidField(node, 'weights', 'a list or an object', given);
      return (_, index) => {
        const { key, position } = elements[index]!;
        const weight = isJsonObject(given)
          ? Object.hasOwn(given, key)
            ? given[key]
            : undefined
          : given[position];
        if (weight !== undefined) return weight;
        throw invalidField(node, 'weights', `a weight for "${key}"`, null);
      };
    },
  };
}

function readsScope(text: string): boolean {
  if (!text.startsWith('$')) return isTemplate(text);
  const name = /^\$\.([A-Za-z_][A-Za-z0-9_]*)/.exec(text)?.[1];
  // `output` is no name where config is evaluated, and a likely member of an element.
  return name !== undefined && name !== 'output' && (SCOPE_NAMES as readonly string[]).includes(name);
}

function required(path: string, value: Json | undefined): Json {
  if (value !== undefined) return value;
  throw new ExpressionError('missing_path', `${path} is missing`, path);
}

/** Says which element an expression failed on. */
function named(node: NodeDefinition, field: string, select: Selector): Selector {
  return (element, index) => {
    try {
      return select(element, index);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const message = `Task "${node.taskId}": config.${field} of the element at [${index}]: ${error.message}`;
      throw new ExpressionError(error.code, message, error.path);
    }
  };
}
