// What is checked of a task type of an author's own: what it declares, once, and its values, at each attempt.
import { type DagwrightError, dagwrightError } from '../core/dagwright-error.ts';
import type { Retry } from '../core/definition/model.ts';
import { compileSchema } from '../core/definition/schema/input-schema.ts';
import { customTaskType } from '../core/definition/task-type.ts';
import { validateDefinition } from '../core/definition/validate.ts';
import { TerminalError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject, toStorableJson } from '../core/json.ts';

/** What nodes of the type have where they say nothing themselves. */
export interface TypeDefaults {
  readonly timeoutSeconds?: number;
  readonly retry?: Retry;
}

export interface ValueCheck {
  /** The schema as plain JSON, without what its builder keeps beside it. */
  readonly schema: JsonObject;
  /** Throws a TerminalError of this code where the value does not fit. */
  check(taskId: string, value: Json, code?: string): void;
}

/** Throws where the schema is none; undefined where there is none. `name`: of its field, as `configSchema`. */
export function valueCheck(type: string, name: string, schema: object | undefined): ValueCheck | undefined {
  if (schema === undefined) return undefined;
  if (!isJsonObject(schema))
    throw unfit(`${name} of "${type}" must be a JSON Schema object`, `${name}: { type: 'object', … }`);
  const plain = JSON.parse(JSON.stringify(schema)) as JsonObject;
  const compiled = compileSchema(plain);
  if (!compiled.ok) {
    const [problem] = compiled.problems;
    throw unfit(
      `${name} of "${type}": ${problem?.pointer ?? ''} ${problem?.message ?? ''}`,
      problem?.hint ?? 'a JSON Schema 2020-12',
    );
  }
  const what = name.replace('Schema', '');
  return {
    schema: plain,
    check(taskId, value, code = 'validation') {
      const [problem] = compiled.value.validate(value);
      if (problem !== undefined)
        throw new TerminalError(
          code,
          `Task "${taskId}": the ${what} does not fit the ${name} of "${type}": ${problem.pointer} ${problem.message}`,
        );
    },
  };
}

/** A result that cannot be stored is left to the engine, which says why. */
export function checkResult(check: ValueCheck, taskId: string, result: unknown): void {
  const storable = toStorableJson(result);
  if (storable.ok) check.check(taskId, JSON.parse(storable.json) as Json, 'output_invalid');
}

/** Throws where a definition could not say the same of a node. */
export function checkDefaults(type: string, { timeoutSeconds, retry }: TypeDefaults): void {
  const node = JSON.parse(JSON.stringify({ taskId: 'it', taskType: type, timeoutSeconds, retry })) as Json;
  const checked = validateDefinition(
    { workflowId: 'it', nodes: [node] },
    { taskTypes: new Map([[type, customTaskType(type)]]) },
  );
  if (checked.ok) return;
  const [problem] = checked.problems;
  const where = problem?.pointer.replace('/nodes/0/', '') ?? '';
  throw unfit(
    `${where} of "${type}": ${problem?.message ?? 'it does not fit'}`,
    problem?.hint ?? 'as a node of a definition says it',
  );
}

/** What was declared cannot be a task type. */
export const unfit = (message: string, hint: string): DagwrightError =>
  dagwrightError('validation', `defineTask: ${message}`, { hint });
