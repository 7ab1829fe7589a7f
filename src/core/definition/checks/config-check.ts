// Checks `config` against the rule of its type: the schema, fields that exclude or need each other, and fields that
// this release lacks. What a template will yield is left to run time.
import type { ErrorObject } from 'ajv';
import type { Result } from '../../errors.ts';
import { BuildBudget } from '../../expression/build-budget.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { refusalOf, refusedConfigField } from '../../not-supported.ts';
import { joinPointer, pointerSegments } from '../pointer.ts';
import type { Reporter } from '../reporter.ts';
import { ajvProblems } from '../schema/ajv-problems.ts';
import { type CompiledSchema, compileSchema } from '../schema/input-schema.ts';
import type { ValidationBudget } from '../schema/steps.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { isTemplate } from '../template.ts';
import { configKind } from './places.ts';

const compiled = new WeakMap<TaskTypeRule, Result<CompiledSchema>>();
const MAX_ERRORS = 200;

/** Reports every problem of one config. `pointer` is that of the config. */
export function checkConfig(
  config: JsonObject,
  pointer: string,
  rule: TaskTypeRule,
  { reporter, steps }: { readonly reporter: Reporter; readonly steps: ValidationBudget },
): void {
  const checked: Record<string, Json> = {};
  for (const [name, value] of Object.entries(config)) {
    if (name.startsWith('x-')) continue;
    const refused = refusedConfigField(rule.type, name);
    if (refused === null) checked[name] = value;
    else reporter.errors([{ pointer: joinPointer(pointer, name), ...refusalOf(refused) }]);
  }
  checkChoices(config, pointer, rule, reporter);
  reporter.errors(
    (rule.problems?.(checked) ?? []).map((problem) => ({
      ...problem,
      pointer: `${pointer}${problem.pointer}`,
    })),
  );
  // Of the type, not of the document: it is kept for all documents.
  const schema = compiled.get(rule) ?? compileSchema(rule.configSchema, new BuildBudget());
  compiled.set(rule, schema);
  if (!schema.ok) {
    const [problem] = schema.problems;
    reporter.error(
      pointer,
      'invalid_schema',
      `the configSchema of type "${rule.type}" cannot be used: ${problem?.message ?? ''}`,
    );
    return;
  }
  const errors = schema.value.errors(checked, steps);
  if (errors.length > 0)
    reporter.errors(
      ajvProblems(withoutTemplates(errors, rule).slice(0, MAX_ERRORS), {
        base: pointer,
        suggest: reporter.suggest,
      }),
    );
}

function checkChoices(config: JsonObject, pointer: string, rule: TaskTypeRule, reporter: Reporter): void {
  for (const [fields, isNeeded] of [
    ...(rule.exactlyOneOf ?? []).map((fields) => [fields, true] as const),
    ...(rule.atMostOneOf ?? []).map((fields) => [fields, false] as const),
  ]) {
    const given = fields.filter((name) => Object.hasOwn(config, name));
    const usable = fields.filter((name) => !rule.notSupported?.includes(name));
    if (given.length > 1)
      reporter.error(
        joinPointer(pointer, given[1] ?? ''),
        'conflict',
        `only one of ${usable.join(', ')} can be given, got ${given.join(' and ')}`,
      );
    else if (given.length === 0 && isNeeded)
      reporter.error(
        joinPointer(pointer, usable[0] ?? ''),
        'required',
        `${rule.type} needs ${usable.length > 1 ? `one of ${usable.join(', ')}` : `"${usable[0]}"`}`,
      );
  }
}

/** Drops errors about texts with templates, and those of `anyOf` and the like that follow from them. */
function withoutTemplates(errors: readonly ErrorObject[], rule: TaskTypeRule): ErrorObject[] {
  const isOpen = (error: ErrorObject): boolean =>
    typeof error.data === 'string' &&
    isTemplate(error.data) &&
    configKind(rule, pointerSegments(error.instancePath)) !== 'literal';
  const open = errors.slice(0, 5000).filter(isOpen);
  if (open.length === 0) return [...errors];
  return errors.filter(
    (error) =>
      !isOpen(error) &&
      !open.some(
        (cause) =>
          cause.schemaPath.startsWith(`${error.schemaPath}/`) &&
          cause.instancePath.startsWith(error.instancePath),
      ),
  );
}

/** The config of a task, `{}` where it is missing or no object. */
export function configOf(task: JsonObject): JsonObject {
  return isJsonObject(task.config) ? task.config : {};
}
