// `parallel`: opens a fan-out of items or named branches, and collects its parts when they have ended. The engine issues
// the parts, keeps to maxConcurrency and cancels the rest; nothing here runs them.
import type { FanOut } from '../core/attempt-end.ts';
import type { NodeDefinition } from '../core/definition/model.ts';
import { TerminalError } from '../core/errors.ts';
import { evaluateMapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { batchesOf, readBatchSize, startsOf } from './batches.ts';
import { compileField, invalidField, readField } from './compile-config.ts';
import type { ParallelParts, PartResult, TaskContext, TaskOutcome, TaskType } from './task-type.ts';

export const MAX_ITEMS = 100_000;
const DEFAULT_CONCURRENCY = 10;

export const parallel: TaskType = {
  type: 'parallel',
  isPure: true,
  prepare(node) {
    const parts = partsOf(node);
    const items = parts.kind === 'items' ? compileField(node, 'items') : null;
    const batchSize = compileField(node, 'batchSize');
    const limits = {
      maxConcurrency: compileField(node, 'maxConcurrency', DEFAULT_CONCURRENCY),
      toleratedFailureCount: compileField(node, 'toleratedFailureCount'),
      toleratedFailurePercentage: compileField(node, 'toleratedFailurePercentage'),
      minSuccesses: compileField(node, 'minSuccesses'),
    };
    const open = (context: TaskContext): OpenFanOut => {
      const { values, starts } =
        items === null
          ? { values: null, starts: null }
          : partValues(
              node,
              evaluateMapping(items, context.scope),
              evaluateMapping(batchSize, context.scope),
            );
      const total = parts.kind === 'branches' ? parts.names.length : (values?.length ?? 0);
      const read = (field: keyof typeof limits, greatest: number, least = 0): number | null =>
        readLimit(node, field, evaluateMapping(limits[field], context.scope), least, greatest);
      const count = read('toleratedFailureCount', Number.MAX_SAFE_INTEGER);
      const percentage = read('toleratedFailurePercentage', 100);
      const minSuccesses = read('minSuccesses', Number.MAX_SAFE_INTEGER, 1);
      return {
        kind: 'fanOut',
        values,
        total,
        maxConcurrency: read('maxConcurrency', 10_000, 1) ?? DEFAULT_CONCURRENCY,
        toleratedFailures: tolerance(total, count, percentage, minSuccesses),
        neededSuccesses: minSuccesses ?? total,
        minSuccesses,
        starts,
      };
    };
    return {
      mappings: [...(items === null ? [] : [items]), batchSize, ...Object.values(limits)],
      run(context) {
        const opened = open(context);
        if (context.phase === 'items') return collect(node, parts, opened, context.parts);
        if (opened.minSuccesses !== null && opened.minSuccesses > opened.total)
          throw new TerminalError(
            'not_enough_values',
            `Task "${node.taskId}": parallel needs ${opened.minSuccesses} successes, but has ${opened.total} ${opened.starts === null ? parts.kind : 'batches'}`,
          );
        if (opened.total === 0) return { kind: 'completed', output: parts.kind === 'items' ? [] : {} };
        const { minSuccesses: _, starts: __, ...fanOut } = opened;
        return fanOut;
      },
    };
  },
};

interface OpenFanOut extends FanOut {
  /** As written; null where the author wrote none. */
  readonly minSuccesses: number | null;
  /** Of batches: where each begins among the items. */
  readonly starts: readonly number[] | null;
}

/** The tasks of a parallel's parts: nodes under the parallel's own taskId, without edges. */
export function partsOf(node: NodeDefinition): ParallelParts {
  const branches = readField(node, 'branches');
  if (branches === undefined)
    return { kind: 'items', task: partOf(node, readField(node, 'task') ?? null, 'task') };
  const named = isJsonObject(branches) ? Object.entries(branches) : [];
  return {
    kind: 'branches',
    names: named.map(([name]) => name),
    tasks: named.map(([name, task]) => partOf(node, task, `branches.${name}`)),
  };
}

function partOf(node: NodeDefinition, task: Json, field: string): NodeDefinition {
  if (!isJsonObject(task) || typeof task.taskType !== 'string')
    throw invalidField(node, field, 'a task with a taskType', task);
  const config = isJsonObject(task.config) ? task.config : {};
  // Validation has checked the other fields as those of a node.
  return { ...task, taskId: node.taskId, taskType: task.taskType, dependsOn: [], config } as NodeDefinition;
}

/** What each part gets as its `item`: an item, or with a `batchSize` a list of them. */
function partValues(
  node: NodeDefinition,
  items: Json,
  batchSize: Json,
): { readonly values: readonly Json[]; readonly starts: readonly number[] | null } {
  if (!Array.isArray(items)) throw invalidField(node, 'items', 'an array', items);
  const size = readBatchSize(node, batchSize);
  const batches = size === null ? null : batchesOf(items as readonly Json[], size);
  const values: readonly Json[] = batches ?? items;
  if (values.length > MAX_ITEMS)
    throw new TerminalError(
      'validation',
      `Task "${node.taskId}": parallel takes ${MAX_ITEMS} ${batches === null ? 'items' : 'batches'} at most, got ${values.length}`,
    );
  return { values, starts: batches === null ? null : startsOf(batches) };
}

function readLimit(
  node: NodeDefinition,
  field: string,
  value: Json,
  least: number,
  greatest: number,
): number | null {
  if (value === null) return null;
  const isWhole = field === 'toleratedFailurePercentage' || Number.isSafeInteger(value);
  if (typeof value !== 'number' || !isWhole || !(value >= least && value <= greatest))
    throw invalidField(node, field, `a number from ${least} to ${greatest}`, value);
  return value;
}

/** The greater of the two tolerances; a `minSuccesses` without either tolerates all failures that still allow it. */
function tolerance(
  total: number,
  count: number | null,
  percentage: number | null,
  minSuccesses: number | null,
): number {
  if (count === null && percentage === null && minSuccesses !== null)
    return Math.max(0, total - minSuccesses);
  return Math.min(total, Math.max(count ?? 0, Math.floor((total * (percentage ?? 0)) / 100)));
}

function collect(
  node: NodeDefinition,
  parts: ParallelParts,
  opened: OpenFanOut,
  results: readonly PartResult[],
): TaskOutcome {
  const byIndex = [...results].sort((a, b) => a.index - b.index);
  const succeeded = byIndex.filter((part) => part.status === 'completed');
  const failed = byIndex.filter(
    (part) => part.status === 'failed' && taskOf(parts, part.index)?.optional !== true,
  );
  const { minSuccesses } = opened;
  const isMet =
    minSuccesses === null ? failed.length <= opened.toleratedFailures : succeeded.length >= minSuccesses;
  if (!isMet) throw firstError(node, { parts, failed, successes: succeeded.length, opened });

  const nameOf = (index: number): string =>
    parts.kind === 'branches' ? (parts.names[index] ?? String(index)) : String(index);
  const outputs = new Map(succeeded.map((part) => [part.index, part.output]));
  const outputAt = (index: number): Json => outputs.get(index) ?? null;
  const output: Json =
    parts.kind === 'branches'
      ? Object.fromEntries(parts.names.map((name, index) => [name, outputAt(index)]))
      : Array.from({ length: opened.total }, (_, index) => outputAt(index));
  const first = succeeded.toSorted((a, b) => a.completedSeq - b.completedSeq)[0];
  const winner = first === undefined ? undefined : nameOf(first.index);
  return {
    kind: 'completed',
    output,
    errors: byIndex.flatMap((part) => errorOf(parts, opened, part)),
    ...(winner !== undefined && { winner }),
    ...(winner !== undefined && parts.kind === 'branches' && minSuccesses === 1 && { branch: winner }),
  };
}

function taskOf(parts: ParallelParts, index: number): NodeDefinition | undefined {
  return parts.kind === 'items' ? parts.task : parts.tasks[index];
}

function errorOf(parts: ParallelParts, { starts }: OpenFanOut, part: PartResult): JsonObject[] {
  if (part.error === null || part.status !== 'failed') return [];
  const name = parts.kind === 'branches' ? parts.names[part.index] : undefined;
  return [
    {
      index: part.index,
      ...(name !== undefined && { branch: name }),
      ...(starts !== null && { items: itemsOf(starts, part.index) }),
      ...toJson(part.error),
    },
  ];
}

/** The first and the last of a batch's items. */
function itemsOf(starts: readonly number[], index: number): { readonly from: number; readonly to: number } {
  return { from: starts[index]!, to: starts[index + 1]! - 1 };
}

function nameOfPart(parts: ParallelParts, { starts }: OpenFanOut, index: number): string {
  if (parts.kind === 'branches') return `branch "${parts.names[index]}"`;
  if (starts === null) return `item ${index}`;
  const { from, to } = itemsOf(starts, index);
  return `batch ${index} (${from === to ? `item ${from}` : `items ${from} to ${to}`})`;
}

function toJson(error: NonNullable<PartResult['error']>): JsonObject {
  const { code, message, status, details, attempts } = error;
  return {
    code,
    message,
    ...(status !== undefined && { status }),
    ...(details !== undefined && { details }),
    ...(attempts !== undefined && { attempts }),
  };
}

/** The error of the failed part with the lowest index, which it names; where none failed, too few succeeded. */
function firstError(
  node: NodeDefinition,
  ended: {
    readonly parts: ParallelParts;
    readonly failed: readonly PartResult[];
    readonly successes: number;
    readonly opened: OpenFanOut;
  },
): TerminalError {
  const { parts, failed, successes, opened } = ended;
  const first = failed.find((part) => part.error !== null);
  if (first?.error == null)
    return new TerminalError(
      'not_enough_values',
      `Task "${node.taskId}": parallel needs ${opened.neededSuccesses} successes, got ${successes}`,
    );
  const { code, message, details, status, attempts = 1 } = first.error;
  const name = nameOfPart(parts, opened, first.index);
  // Its own row counts one attempt: how often the part was tried is nowhere else in what the execution ends with.
  const tried = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return new TerminalError(code, `${name}, after ${tried}: ${message}`, { details, status });
}
