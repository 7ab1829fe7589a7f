// Checks one task, the parts of a parallel and the tools of a model: its type, config, model, waits, error patterns and
// expressions. Gives back what its expressions read; whether they may read it is checked when the graph is known (reads.ts).
import type { Result } from '../../errors.ts';
import {
  compileCondition,
  compileExpression,
  compileMapping,
  type Reference,
} from '../../expression/mapping.ts';
import { compileDocumentPath } from '../../expression/path/document-path.ts';
import { SCOPE_NAMES } from '../../expression/scope.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { NOT_SUPPORTED, refusalOf } from '../../not-supported.ts';
import { ARRIVAL_ROOTS } from '../../signal.ts';
import { MAX_MODEL_ID } from '../model.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';
import type { ValidationBudget } from '../schema/steps.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { isTemplate } from '../template.ts';
import { checkCache } from './cache-check.ts';
import { checkConfig, configOf } from './config-check.ts';
import { type ExpressionKind, type PartPlace, type Place, placesOf } from './places.ts';
import { checkRetry } from './retry-check.ts';
import { checkStructure } from './structure.ts';
import { checkTool } from './tool-check.ts';

/** One read of the scope by a task. */
export interface Read {
  readonly reference: Reference;
  readonly where: Place['where'] | 'output';
  /** Null: the output of the definition. */
  readonly task: JsonObject | null;
  readonly hasItem: boolean;
  /** In what tells people of a review. */
  readonly isNotice?: boolean;
}

export interface TaskCheck {
  readonly taskTypes: ReadonlyMap<string, TaskTypeRule>;
  readonly reporter: Reporter;
  /** Effective limit of the execution, for waits. */
  readonly timeoutSeconds: number;
  /** What validations of the document may take together. */
  readonly steps: ValidationBudget;
}

/** Providers that are reached without a `baseUrl`. */
const MODEL_PROVIDERS = ['anthropic', 'openai', 'google', 'simulated'];

/** `task` is effective (defaults filled in) and sound in structure. */
export function checkTask(task: JsonObject, pointer: string, check: TaskCheck): Read[] {
  return checkOne(task, pointer, check, { isPart: false, isTool: false, hasItem: false });
}

function checkOne(
  task: JsonObject,
  pointer: string,
  check: TaskCheck,
  at: { readonly isPart: boolean; readonly isTool: boolean; readonly hasItem: boolean },
): Read[] {
  const { reporter, taskTypes } = check;
  const rule = ruleOf(task, pointer, check);
  if (rule === null) return [];
  if (rule.status === 'not_supported') {
    reporter.errors([
      { pointer: joinPointer(pointer, 'taskType'), ...refusalOf({ what: `the type "${rule.type}"` }) },
    ]);
    return [];
  }
  if (at.isPart && !at.isTool && rule.type === 'parallel')
    reporter.errors([
      { pointer: joinPointer(pointer, 'taskType'), ...refusalOf(NOT_SUPPORTED.parallelInParallel) },
    ]);
  const config = configOf(task);
  checkConfig(config, joinPointer(pointer, 'config'), rule, check);
  checkModel(task, pointer, rule, reporter);
  checkRetry(task.retry, joinPointer(pointer, 'retry'), reporter);
  checkCache(task, pointer, reporter);
  const seconds = rule.waitSeconds?.(config) ?? null;
  if (seconds !== null && seconds > check.timeoutSeconds)
    reporter.error(
      joinPointer(pointer, 'config', 'seconds'),
      'wait_too_long',
      `waits ${seconds} s, but the execution times out after ${check.timeoutSeconds} s`,
      'set a longer timeoutSeconds on the definition',
    );
  if (task.repeat !== undefined && (rule.branchNames !== undefined || rule.neverCompletes === true))
    reporter.error(
      joinPointer(pointer, 'repeat'),
      'conflict',
      `${quoteText(rule.type)} cannot be repeated`,
      'repeat the task whose output decides',
    );
  const { places, parts } = placesOf(task, pointer, rule, at.hasItem);
  const reads = places.flatMap((place) => compilePlace(place, reporter));
  // Parts of parts are refused above, and tools of tools below.
  const checked = parts.filter(({ kind }) => (at.isTool ? false : at.isPart ? isWithin(kind) : true));
  return [...reads, ...checked.flatMap((part) => checkPart(part, { ...check, taskTypes }))];
}

function checkPart(part: PartPlace, check: TaskCheck): Read[] {
  const { value, pointer, hasItem } = part;
  if (!isJsonObject(value)) {
    // Where a list of named parts is itself of the wrong type, its schema has said so.
    check.reporter.error(pointer, 'type', 'must be a task: an object with a taskType');
    return [];
  }
  if (!checkStructure('part', value, pointer, check.reporter)) return [];
  const isTool = isWithin(part.kind);
  if (isTool) checkTool(value, pointer, check.reporter);
  const reads = checkOne(value, pointer, check, { isPart: true, isTool, hasItem });
  return part.kind === 'notice' ? reads.map((read) => ({ ...read, isNotice: true })) : reads;
}

/** Runs within the attempt of the task around it. */
const isWithin = (kind: PartPlace['kind']): boolean => kind === 'tool' || kind === 'notice';

function ruleOf(task: JsonObject, pointer: string, { taskTypes, reporter }: TaskCheck): TaskTypeRule | null {
  const type = String(task.taskType);
  const rule = taskTypes.get(type);
  if (rule !== undefined) return rule;
  if (type === '') return null;
  reporter.error(
    joinPointer(pointer, 'taskType'),
    'unknown_type',
    `there is no task type ${quoteText(type)}`,
    reporter.didYouMean(type, taskTypes.keys()) ??
      'own types are registered in a module that DAGWRIGHT_TASKS names',
  );
  return null;
}

function checkModel(task: JsonObject, pointer: string, rule: TaskTypeRule, reporter: Reporter): void {
  const at = joinPointer(pointer, 'modelId');
  const { modelId } = task;
  if (rule.usesModel !== true) {
    if (modelId !== undefined)
      reporter.error(at, 'unknown_field', `${quoteText(rule.type)} takes no modelId`);
    return;
  }
  if (typeof modelId !== 'string') {
    reporter.error(at, 'required', `${rule.type} needs a modelId`, 'for a trial: simulated/echo');
    return;
  }
  if (isTemplate(modelId)) return;
  if (modelId === 'auto') {
    reporter.errors([{ pointer: at, ...refusalOf(NOT_SUPPORTED.autoModel) }]);
    return;
  }
  const provider = /^([^/\s]+)\/./.exec(modelId)?.[1];
  if (provider === undefined)
    reporter.error(at, 'pattern', `a modelId is provider/name, got ${quoteText(modelId)}`);
  else if (modelId.length > MAX_MODEL_ID)
    reporter.error(at, 'too_long', `a modelId has at most ${MAX_MODEL_ID} characters, got ${modelId.length}`);
  else if (!MODEL_PROVIDERS.includes(provider) && configOf(task).baseUrl === undefined)
    reporter.error(
      at,
      'unknown_provider',
      `there is no model provider ${quoteText(provider)}`,
      reporter.didYouMean(provider, MODEL_PROVIDERS) ??
        `known: ${MODEL_PROVIDERS.join(', ')}; for a server that speaks OpenAI's chat completions set config.baseUrl`,
    );
}

function compilePlace(place: Place, reporter: Reporter): Read[] {
  const isElement = place.kind === 'element' || (place.kind === 'weights' && isElementText(place.value));
  const result = compileAs(isElement ? 'element' : place.kind, place.value, place.pointer);
  if (!result.ok) {
    reporter.errors(result.problems);
    return [];
  }
  const { where, task } = place;
  const hasItem = place.hasItem || isElement;
  return result.value.map((reference) => ({ reference, where, task, hasItem }));
}

function compileAs(kind: ExpressionKind, value: Json, pointer: string): Result<readonly Reference[]> {
  if (kind === 'condition') return referencesOf(compileCondition(value, pointer));
  if (kind === 'arrival') return referencesOf(compileCondition(value, pointer, { roots: ARRIVAL_ROOTS }));
  if (kind === 'expression' && typeof value === 'string' && !isTemplate(value))
    return referencesOf(compileExpression(value, pointer));
  if (kind === 'element' && typeof value === 'string') {
    if (!value.startsWith('$')) return referencesOf(compileExpression(value, pointer));
    const path = compileDocumentPath(value, pointer);
    return path.ok ? { ok: true, value: [] } : path;
  }
  return referencesOf(compileMapping(value, pointer));
}

/** Weights that are read from each element: not a template, and not a path that begins with a name of the scope. */
function isElementText(value: Json): boolean {
  if (typeof value !== 'string') return false;
  if (!value.startsWith('$')) return !isTemplate(value);
  const name = /^\$\.([A-Za-z_][A-Za-z0-9_]*)/.exec(value)?.[1];
  return name === undefined || name === 'output' || !(SCOPE_NAMES as readonly string[]).includes(name);
}

function referencesOf(
  result: Result<{ readonly references: readonly Reference[] }>,
): Result<readonly Reference[]> {
  return result.ok ? { ok: true, value: result.value.references } : result;
}
