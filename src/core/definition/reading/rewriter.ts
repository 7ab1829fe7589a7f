// Gives the objects of a definition our names: fields, types, dependencies, drawing fields. Remembers where things came
// from and which rewrites deserve a warning. What it does not understand it leaves for the structural check to refuse.
import type { Problem } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { joinPointer } from '../pointer.ts';
import { quoteText } from '../quote-text.ts';
import { STRUCTURE } from '../schema/document.ts';
import type { TaskTypeRule } from '../task-type.ts';
import { fieldNames, renameFields } from './field-names.ts';
import { Origins } from './origins.ts';

const NODE_NAMES = new Set(fieldNames(STRUCTURE.node));
const EDGE_NAMES = new Set(fieldNames(STRUCTURE.definitions.dependency));
const RETRY_NAMES = new Set(fieldNames(STRUCTURE.definitions.retry));
const CACHE_NAMES = new Set(fieldNames(STRUCTURE.definitions.cache));
const NODE_ALIASES = new Map([
  ['id', 'taskId'],
  ['type', 'taskType'],
]);
const TYPE_ALIASES = new Map([
  ['http_request', 'external_api'],
  ['transform', 'transformation'],
]);
/** What drawing tools put on a node. */
const DRAWING_FIELDS = new Set([
  'position',
  'positionAbsolute',
  'measured',
  'width',
  'height',
  'selected',
  'dragging',
  'sourcePosition',
  'targetPosition',
]);

/** `at` is a pointer into the author's document, `to` one into ours, throughout. */
interface Place {
  readonly at: string;
  readonly to: string;
}

export class Rewriter {
  readonly origins = new Origins();
  readonly rewrites: Problem[] = [];
  readonly #taskTypes: ReadonlyMap<string, TaskTypeRule>;

  constructor(taskTypes: ReadonlyMap<string, TaskTypeRule>) {
    this.#taskTypes = taskTypes;
  }

  /** Notes a rewrite. */
  note(at: string, message: string, hint?: string): void {
    this.rewrites.push({ pointer: at, code: 'rewritten', message, ...(hint !== undefined && { hint }) });
  }

  /** The members of one object under our names. */
  rename(
    object: JsonObject,
    places: Place,
    known: ReadonlySet<string>,
    aliases?: ReadonlyMap<string, string>,
  ): JsonObject {
    const result = renameFields(object, known, aliases);
    for (const [theirs, ours] of result.renamed) {
      this.origins.move(joinPointer(places.to, ours), joinPointer(places.at, theirs));
      this.note(joinPointer(places.at, theirs), `${quoteText(theirs)} is stored as ${quoteText(ours)}`);
    }
    return result.object;
  }

  /** Our name of a task type; a type of the user's is left alone. */
  typeName(type: string): string {
    return this.#taskTypes.has(type) ? type : (TYPE_ALIASES.get(type) ?? type);
  }

  /** A node, a part of a parallel, or what `defaults` says of a type: then `type` says of which. */
  task(task: JsonObject, at: string, to: string, type?: string): JsonObject {
    const kept: Record<string, Json> = {};
    for (const [name, value] of Object.entries(task)) {
      if (DRAWING_FIELDS.has(name))
        this.note(joinPointer(at, name), `${quoteText(name)} is dropped`, 'use `ui`');
      else kept[name] = value;
    }
    const node: Record<string, Json> = { ...this.rename(kept, { at, to }, NODE_NAMES, NODE_ALIASES) };
    if (typeof node.taskType === 'string') {
      const ours = this.typeName(node.taskType);
      if (ours !== node.taskType)
        this.note(
          this.#placeOf({ at, to }, 'taskType').at,
          `type ${quoteText(node.taskType)} is stored as "${ours}"`,
        );
      node.taskType = ours;
    }
    if (isJsonObject(node.retry))
      node.retry = this.rename(node.retry, this.#placeOf({ at, to }, 'retry'), RETRY_NAMES);
    else if (Array.isArray(node.retry)) {
      const list = this.#placeOf({ at, to }, 'retry');
      node.retry = (node.retry as readonly Json[]).map((policy, i) =>
        isJsonObject(policy) ? this.rename(policy, this.#placeOf(list, String(i)), RETRY_NAMES) : policy,
      );
    }
    if (isJsonObject(node.cache))
      node.cache = this.rename(node.cache, this.#placeOf({ at, to }, 'cache'), CACHE_NAMES);
    if (isJsonObject(node.config))
      node.config = this.#config(node.config, type ?? node.taskType, this.#placeOf({ at, to }, 'config'));
    return node;
  }

  /** A node's own `dependsOn`: objects only, without edges from `triggers`. */
  dependencies(list: readonly Json[], to: string, triggers: ReadonlySet<string>): Json[] {
    const kept: Json[] = [];
    const from = this.origins.authorPointer(to);
    for (const [i, entry] of list.entries()) {
      const at = joinPointer(from, i);
      const ours = joinPointer(to, kept.length);
      const edge =
        typeof entry === 'string'
          ? { taskId: entry }
          : isJsonObject(entry)
            ? this.rename(entry, { at, to: ours }, EDGE_NAMES)
            : entry;
      if (isJsonObject(edge) && triggers.has(String(edge.taskId))) continue;
      if (kept.length !== i) this.origins.move(ours, at);
      kept.push(edge);
    }
    return kept;
  }

  #config(config: JsonObject, type: Json | undefined, place: Place): JsonObject {
    const rule = this.#taskTypes.get(String(type));
    const known = new Set([...fieldNames(rule?.configSchema), ...(rule?.notSupported ?? [])]);
    const result: Record<string, Json> = { ...this.rename(config, place, known) };
    for (const [field, kind] of Object.entries(rule?.fields ?? {})) {
      const [name = '', star] = field.split('/');
      const value = result[name];
      if ((kind !== 'node' && kind !== 'item') || !isJsonObject(value)) continue;
      const inside = this.#placeOf(place, name);
      result[name] =
        star === undefined
          ? this.#part(value, inside)
          : Object.fromEntries(
              Object.entries(value).map(([key, part]) => [key, this.#part(part, this.#placeOf(inside, key))]),
            );
    }
    return result;
  }

  #part(part: Json, { at, to }: Place): Json {
    return isJsonObject(part) ? this.task(part, at, to) : part;
  }

  #placeOf(holder: Place, name: string): Place {
    return {
      at: this.origins.memberPointer(holder.to, holder.at, name),
      to: joinPointer(holder.to, name),
    };
  }
}
