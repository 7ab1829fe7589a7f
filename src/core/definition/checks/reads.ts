// Checks what expressions read: names in their place, paths that the known schemas allow, tasks that are ancestors and,
// as a warning, tasks that may not have completed.

import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { isAncestor } from '../../plan/graph.ts';
import type { Plan } from '../../plan/plan.ts';
import { quoteText } from '../quote-text.ts';
import type { Reporter } from '../reporter.ts';
import { misplacedRead, NEEDS_COMPLETION, scopeSchema, TASK_RESULT_FIELDS } from '../schema/scope-schema.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { configOf } from './config-check.ts';
import { type CompletionQuestion, completesAlways, surelyCompleted } from './guarantees.ts';
import { type Exclusion, ExclusionBudget, excludedBy, shapeOf } from './shape.ts';
import type { Read } from './task-check.ts';

/** The reads of one node (its parts included), or of the definition's output (`taskId` null). */
export interface NodeReads {
  readonly taskId: string | null;
  readonly reads: readonly Read[];
}

export interface ReadCheck {
  /** By taskId, effective. */
  readonly tasks: ReadonlyMap<string, JsonObject>;
  readonly taskTypes: ReadonlyMap<string, TaskTypeRule>;
  readonly inputSchema: Json | null;
  /** Null where the graph is broken: ancestors are then not checked. */
  readonly plan: Plan | null;
  readonly reporter: Reporter;
}

interface TaskRead {
  readonly reader: string | null;
  readonly read: string;
  readonly pointer: string;
  /** It reads what only a completed task has. */
  readonly isOutput: boolean;
  /** A missing value is tolerated. */
  readonly guarded: boolean;
}

/** Shapes are made once for each task, however often it is read: a mapping may be as large as the document. */
interface KnownShapes {
  readonly results: Map<JsonObject, JsonObject>;
  readonly inputs: Map<JsonObject, Json | null>;
  readonly outputs: Map<JsonObject, Json | null>;
  readonly budget: ExclusionBudget;
}

/** Reports all problems and warnings of all reads. */
export function checkReads(all: readonly NodeReads[], given: ReadCheck): void {
  const shapes: KnownShapes = {
    results: new Map(),
    inputs: new Map(),
    outputs: new Map(),
    budget: new ExclusionBudget(),
  };
  const check = { ...given, shapes };
  const taskReads: TaskRead[] = [];
  for (const { taskId, reads } of all)
    for (const read of reads) {
      const rule = check.taskTypes.get(String(read.task?.taskType));
      const misplaced = misplacedRead(read, rule?.usesSecrets === true);
      if (misplaced !== null) check.reporter.error(read.reference.pointer, misplaced.code, misplaced.message);
      else if (read.reference.root === 'tasks') {
        const found = checkTaskPath(taskId, read, check);
        if (found !== null) taskReads.push(found);
      } else checkPath(read, check);
    }
  if (check.plan !== null) checkAncestors(taskReads, check.plan, check.reporter);
}

type ShapedCheck = ReadCheck & { readonly shapes: KnownShapes };

function checkPath({ reference, task, where }: Read, check: ShapedCheck): void {
  const { shapes } = check;
  const schema = scopeSchema(reference.root, {
    input: check.inputSchema,
    taskInput:
      task === null || reference.root !== 'task' ? null : once(shapes.inputs, task, () => inputShape(task)),
    rawOutput:
      task === null || reference.root !== 'output'
        ? null
        : where === 'repeat'
          ? roundShape(task, check)
          : once(shapes.outputs, task, () => outputShape(task, check)),
  });
  const exclusion = excludedBy(schema, reference.path, shapes.budget);
  if (exclusion !== null)
    reportExclusion(reference.pointer, [reference.root, ...reference.path], 1, exclusion, check.reporter);
}

function checkTaskPath(reader: string | null, { reference }: Read, check: ShapedCheck): TaskRead | null {
  const [id, field, ...rest] = reference.path;
  const { pointer } = reference;
  if (id === undefined) return null;
  const name = String(id);
  const task = check.tasks.get(name);
  if (task === undefined) {
    const hint = check.reporter.didYouMean(name, check.tasks.keys());
    check.reporter.error(
      pointer,
      'unknown_task',
      `reads tasks.${name.slice(0, 80)}, but there is no task ${quoteText(name)}`,
      hint,
    );
    return null;
  }
  if (name === reader) {
    check.reporter.error(
      pointer,
      'not_an_ancestor',
      `${quoteText(name)} reads its own result`,
      'in outputMapping it is $.output',
    );
    return null;
  }
  const exclusion =
    field === undefined
      ? null
      : excludedBy(
          once(check.shapes.results, task, () => resultShape(task, check)),
          [field, ...rest],
          check.shapes.budget,
        );
  if (exclusion !== null) {
    reportExclusion(pointer, ['tasks', ...reference.path], 2, exclusion, check.reporter);
    return null;
  }
  const isOutput = field !== undefined && NEEDS_COMPLETION.has(String(field));
  return { reader, read: name, pointer, isOutput, guarded: reference.guarded };
}

function resultShape(task: JsonObject, check: ReadCheck): JsonObject {
  const properties: Record<string, Json> = {};
  for (const name of TASK_RESULT_FIELDS) properties[name] = {};
  const collects = isJsonObject(task.repeat) && task.repeat.collect !== undefined;
  properties.output = collects ? { type: 'array' } : (roundShape(task, check) ?? {});
  return { type: 'object', properties, additionalProperties: false };
}

/** Of the output as it is stored; of a task with repeat: of each round. */
function roundShape(task: JsonObject, check: ReadCheck): Json | null {
  return task.outputMapping === undefined ? outputShape(task, check) : shapeOf(task.outputMapping);
}

function inputShape({ inputMapping }: JsonObject): Json | null {
  return inputMapping === undefined ? null : shapeOf(inputMapping);
}

/** Of the output before any outputMapping. */
function outputShape(task: JsonObject, { taskTypes }: ReadCheck): Json | null {
  const schema = taskTypes.get(String(task.taskType))?.outputSchema ?? null;
  return typeof schema === 'function' ? schema(configOf(task)) : schema;
}

function once<Shape>(known: Map<JsonObject, Shape>, task: JsonObject, make: () => Shape): Shape {
  if (!known.has(task)) known.set(task, make());
  return known.get(task)!;
}

function reportExclusion(
  pointer: string,
  path: readonly (string | number)[],
  offset: number,
  exclusion: Exclusion,
  reporter: Reporter,
): void {
  const owner = path.slice(0, exclusion.at + offset).join('.');
  const message = `"${owner.slice(0, 200)}" has no ${quoteText(String(exclusion.segment))}`;
  const known = [...new Set(exclusion.known)];
  const near = reporter.didYouMean(String(exclusion.segment), known);
  const list =
    known.length > 0 ? `it has ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}` : null;
  reporter.error(pointer, 'excluded_path', message, near ?? list);
}

function checkAncestors(reads: readonly TaskRead[], plan: Plan, reporter: Reporter): void {
  const always = reads.some((read) => read.reader === null) ? completesAlways(plan) : new Uint8Array();
  const fallbacks = fallbacksByPlace(reads);
  const questions: (CompletionQuestion & { readonly from: TaskRead })[] = [];
  for (const from of reads) {
    const read = plan.indexOf.get(from.read);
    if (read === undefined) continue;
    const needsOutput = from.isOutput && !from.guarded;
    const others = fallbacks.get(from.pointer) ?? [];
    if (from.reader === null) {
      if (needsOutput && always[read] !== 1 && others.length === 0)
        warn(from, `${quoteText(from.read)} may not have completed`, reporter);
      continue;
    }
    const reader = plan.indexOf.get(from.reader);
    if (reader === undefined) continue;
    if (!isParent(plan, reader, read) && !isAncestor(plan, read, reader))
      reporter.error(
        from.pointer,
        'not_an_ancestor',
        `${quoteText(from.reader)} reads ${quoteText(from.read)}, which need not have run before it`,
        `add ${quoteText(from.read)} to its dependsOn`,
      );
    else if (needsOutput)
      questions.push({ reader, anyOf: [read, ...others.flatMap((id) => plan.indexOf.get(id) ?? [])], from });
  }
  const sure = surelyCompleted(plan, questions);
  questions.forEach(({ from }, i) => {
    if (!sure[i])
      warn(
        from,
        `${quoteText(from.read)} may have been skipped or failed when ${quoteText(from.reader ?? '')} runs`,
        reporter,
      );
  });
}

/** In `a ?? b` only a is guarded; b is sure of its value where one of the two always is. At most 20 per place. */
function fallbacksByPlace(reads: readonly TaskRead[]): ReadonlyMap<string, string[]> {
  const byPlace = new Map<string, string[]>();
  for (const read of reads) {
    if (!read.guarded || !read.isOutput) continue;
    const known = byPlace.get(read.pointer) ?? [];
    if (known.length < 20) known.push(read.read);
    byPlace.set(read.pointer, known);
  }
  return byPlace;
}

/** Spares the ancestor rows where most reads are of direct parents; bounded for joins of thousands. */
function isParent(plan: Plan, reader: number, read: number): boolean {
  const edges = plan.nodes[reader]?.inEdges ?? [];
  return edges.length <= 32 && edges.some((edge) => edge.from === read);
}

function warn(read: TaskRead, message: string, reporter: Reporter): void {
  reporter.warn(read.pointer, 'may_be_skipped', message, 'give a value for that case: … ?? null');
}

/** Effective tasks by taskId; the first of a repeated one. */
export function tasksById(tasks: readonly JsonObject[]): ReadonlyMap<string, JsonObject> {
  const byId = new Map<string, JsonObject>();
  for (const task of tasks)
    if (isJsonObject(task) && typeof task.taskId === 'string' && !byId.has(task.taskId))
      byId.set(task.taskId, task);
  return byId;
}
