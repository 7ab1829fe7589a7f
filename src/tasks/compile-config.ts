// Compiles the config of a node once, when its plan is prepared, and names the task in what goes wrong later.
import type { NodeDefinition } from '../core/definition/model.ts';
import { isTemplate } from '../core/definition/template.ts';
import type { Result } from '../core/errors.ts';
import { TerminalError } from '../core/errors.ts';
import { compileExpression, compileMapping, type Mapping } from '../core/expression/mapping.ts';
import type { Json } from '../core/json.ts';

/** What compiled, or an Error: definitions are validated before they get here. */
export function compiled<T>(node: NodeDefinition, result: Result<T>): T {
  if (result.ok) return result.value;
  const [problem] = result.problems;
  throw new Error(
    `Task "${node.taskId}": ${problem?.pointer ?? '/config'}: ${problem?.message ?? 'invalid'}`,
  );
}

/** One field of config as a mapping; `absent` where the author wrote nothing. */
export function compileField(node: NodeDefinition, field: string, absent: Json = null): Mapping {
  return compiled(node, compileMapping(readField(node, field) ?? absent, `/config/${field}`));
}

/** A field that is a bare expression; the template forms (`{{ }}`) are taken too, and mean the same. */
export function compileExpressionField(node: NodeDefinition, field: string): Mapping {
  const value = readField(node, field);
  if (typeof value === 'string' && !isTemplate(value))
    return compiled(node, compileExpression(value, `/config/${field}`));
  return compileField(node, field);
}

/** What the author wrote, own properties only; undefined where there is nothing. */
export function readField(node: NodeDefinition, field: string): Json | undefined {
  return Object.hasOwn(node.config, field) ? node.config[field] : undefined;
}

/** A field's value that does not fit, found when the task ran. */
export function invalidField(node: NodeDefinition, field: string, wanted: string, got: Json): TerminalError {
  return new TerminalError(
    'validation',
    `Task "${node.taskId}": ${node.taskType} needs ${wanted} in config.${field}, got ${describe(got)}`,
  );
}

/** A value's type, or a number itself: messages never quote texts, which may be private. */
export function describe(value: Json): string {
  if (typeof value === 'number') return String(value);
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
