// Which fields of a task were written under `defaults`: so that problems point there, and `validate --explain` can say so.
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import type { NodeDefinition, WorkflowDefinition } from '../model.ts';
import { joinPointer } from '../pointer.ts';
import { type Defaults, hasDefaults, isTakenWhole, layersFor, SHARED_FIELDS } from './defaults.ts';
import type { Origins } from './origins.ts';

/** A field that a task has by `defaults`. */
export interface FilledField {
  /** Below the task: `['config', 'headers', 'x-team']`. */
  readonly to: readonly string[];
  /** Below `defaults`: `['external_api', 'config', 'headers', 'x-team']`. */
  readonly from: readonly string[];
  readonly value: Json;
}

/** All of one task, its parts and tools included. `effective` is what withDefaults makes of `written`. */
export function* filledFields(
  defaults: Defaults,
  written: JsonObject,
  effective: JsonObject,
  at: readonly string[] = [],
): Generator<FilledField> {
  const type = typeof written.taskType === 'string' ? written.taskType : '';
  const layers = layersFor(defaults, type);
  const fieldAt = (path: readonly string[], value: Json): FilledField[] => {
    const layer = layers.find(([, given]) => hasPath(given, path));
    return layer === undefined ? [] : [{ to: [...at, ...path], from: [layer[0], ...path], value }];
  };
  for (const field of SHARED_FIELDS)
    if (!Object.hasOwn(written, field) && effective[field] !== undefined)
      yield* fieldAt([field], effective[field]);

  function* members(own: JsonObject, ran: JsonObject, path: readonly string[]): Generator<FilledField> {
    for (const [name, value] of Object.entries(ran)) {
      const inside = [...path, name];
      const before = own[name];
      if (!Object.hasOwn(own, name)) yield* fieldAt(inside, value);
      else if (path.length === 1 && isTakenWhole(type, name))
        yield* tasksIn(defaults, before!, value, [...at, ...inside]);
      else if (before !== value && isJsonObject(before) && isJsonObject(value))
        yield* members(before, value, inside);
    }
  }
  const own = isJsonObject(written.config) ? written.config : {};
  if (isJsonObject(effective.config)) yield* members(own, effective.config, ['config']);
}

// `task`, `branches` and `tools`: a task, tasks by name, or a list of what has one.
function* tasksIn(
  defaults: Defaults,
  written: Json,
  effective: Json,
  at: readonly string[],
): Generator<FilledField> {
  if (written === effective || typeof written !== 'object' || typeof effective !== 'object') return;
  if (isJsonObject(written) && isJsonObject(effective) && typeof written.taskType === 'string')
    yield* filledFields(defaults, written, effective, at);
  else
    for (const [name, value] of Object.entries(written ?? {}))
      yield* tasksIn(defaults, value as Json, (effective as JsonObject)[name] ?? null, [...at, name]);
}

function hasPath(value: Json, path: readonly string[]): boolean {
  let at: Json = value;
  for (const name of path) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return false;
    at = at[name]!;
  }
  return true;
}

/** Tells `origins` which fields of which nodes were written under `defaults`. */
export function noteDefaults(
  effective: WorkflowDefinition,
  nodes: readonly { readonly node: NodeDefinition; readonly pointer: string }[],
  origins: Origins,
): void {
  const { defaults } = effective;
  if (!hasDefaults(defaults)) return;
  nodes.forEach(({ node, pointer }, i) => {
    const ran = effective.nodes[i];
    if (ran === undefined) return;
    for (const { to, from } of filledFields(defaults, jsonOf(node), jsonOf(ran)))
      origins.move(joinPointer(pointer, ...to), origins.authorPointer(joinPointer('/defaults', ...from)));
  });
}

const jsonOf = (node: NodeDefinition) => node as unknown as JsonObject;
