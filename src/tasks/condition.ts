// `condition`: chooses a branch by the text of a value, by the first case that holds, or by true and false.
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import { ExpressionError } from '../core/expression/errors.ts';
import {
  compileCondition,
  evaluateCondition,
  evaluateMapping,
  type Mapping,
} from '../core/expression/mapping.ts';
import type { Scope } from '../core/expression/scope.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { compiled, compileExpressionField, invalidField, readField } from './compile-config.ts';
import type { PreparedTask, TaskOutcome, TaskType } from './task-type.ts';

export const condition: TaskType = {
  type: 'condition',
  isPure: true,
  completesAtOnce: true,
  prepare(node) {
    if (readField(node, 'expression') !== undefined) return prepareExpression(node);
    return readField(node, 'cases') !== undefined ? prepareCases(node) : prepareValue(node);
  },
};

function prepareExpression(node: NodeDefinition): PreparedTask {
  const when = compiled(node, compileCondition(node.config.expression!, '/config/expression'));
  return {
    mappings: [when],
    run(context) {
      const holds = evaluateCondition(when, context.scope);
      return chosen(String(holds), { value: holds });
    },
  };
}

function prepareCases(node: NodeDefinition): PreparedTask {
  const written = Array.isArray(node.config.cases) ? (node.config.cases as readonly Json[]) : [];
  const cases = written.filter(isJsonObject).map((one, index) => {
    const at = `/config/cases/${index}`;
    return {
      when: compiled(node, compileCondition(one.when ?? null, `${at}/when`)),
      branch: String(one.branch),
    };
  });
  return {
    mappings: cases.map((one) => one.when),
    run(context) {
      const match = cases.find((one) => evaluateCondition(one.when, context.scope));
      return match === undefined ? fallBack(node, 'no case holds', {}) : chosen(match.branch, {});
    },
  };
}

function prepareValue(node: NodeDefinition): PreparedTask {
  const value = compileExpressionField(node, 'value');
  return {
    mappings: [value],
    run(context) {
      const read = readValue(value, context.scope);
      if (read.kind === 'missing')
        return fallBack(node, `its value is missing (${read.message})`, { missing: true });
      if (read.value === null) return fallBack(node, 'its value is null', { value: null });
      if (typeof read.value === 'object')
        throw invalidField(node, 'value', 'a text, number or boolean', read.value);
      const branch = String(read.value);
      const known = context.branches ?? [];
      if (known.length === 0 || known.includes(branch)) return chosen(branch, { value: read.value });
      return fallBack(node, `its value is none of the branches ${known.join(', ')}`, { value: read.value });
    },
  };
}

type ReadValue =
  | { readonly kind: 'found'; readonly value: Json }
  | { readonly kind: 'missing'; readonly message: string };

function readValue(value: Mapping, scope: Scope): ReadValue {
  try {
    return { kind: 'found', value: evaluateMapping(value, scope) };
  } catch (error) {
    if (error instanceof ExpressionError && error.code === 'missing_path')
      return { kind: 'missing', message: error.message };
    throw error;
  }
}

function chosen(branch: string, more: JsonObject): TaskOutcome {
  return { kind: 'completed', output: { branch, ...more }, branch };
}

/** `default` where there is one (null: none is taken), else the error no_branch. */
function fallBack(node: NodeDefinition, why: string, more: JsonObject): TaskOutcome {
  const branch = readField(node, 'default');
  if (typeof branch === 'string') return chosen(branch, more);
  if (branch === null) return { kind: 'completed', output: { branch: null, ...more } };
  throw new TerminalError(
    'no_branch',
    `Task "${node.taskId}": condition has no branch to take: ${why}, and there is no default`,
  );
}
