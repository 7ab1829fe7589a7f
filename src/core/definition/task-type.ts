// What validation knows of a task type: data, so that a new type is one entry (builtin-types.ts, or defineTask's).
import type { Problem } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';

/**
 * What a place in `config` holds. `mapping` (where nothing else is said): any JSON with templates. `expression`: a bare
 * expression. `condition`: a bare or structured condition. `element`: a path in which `$` is an element. `node`: a task
 * without taskId. `item`: such a task, in which `item` and `index` exist. `tool`: such a task, which a model calls. `notice`: one
 * that tells people of a review. `arrival`: a condition about a signal that came, which also sees `payload` and `signal`.
 * `literal`: never evaluated.
 */
export type ConfigFieldKind =
  | 'mapping'
  | 'expression'
  | 'condition'
  | 'element'
  | 'arrival'
  | 'weights'
  | 'node'
  | 'item'
  | 'tool'
  | 'notice'
  | 'literal';

export interface TaskTypeRule {
  readonly type: string;
  readonly status: 'built' | 'not_supported';
  /** JSON Schema 2020-12 of `config`. A text with a template fits everywhere except in `literal` places. */
  readonly configSchema: JsonObject;
  /** Kinds by place; `*` stands for any member or position: `cases/*\/when`. */
  readonly fields?: { readonly [place: string]: ConfigFieldKind };
  /** Config fields of the contract that this release does not have. */
  readonly notSupported?: readonly string[];
  /** Of each list exactly one field must be given. */
  readonly exactlyOneOf?: readonly (readonly string[])[];
  /** Of each list one field may be given. */
  readonly atMostOneOf?: readonly (readonly string[])[];
  /** What the schema cannot say. Pointers are below the config. */
  readonly problems?: (config: JsonObject) => readonly Problem[];
  /** The branches it may choose; `any`: those that edges name; null or absent: it has no branches. */
  readonly branchNames?: (config: JsonObject) => readonly string[] | 'any' | null;
  /** JSON Schema of the output, as far as it is known; null or absent: unknown. */
  readonly outputSchema?: JsonObject | ((config: JsonObject) => Json | null);
  /** Never ends as completed, so that no success can follow from it. */
  readonly neverCompletes?: boolean;
  /** Seconds that it surely waits, where they are known. */
  readonly waitSeconds?: (config: JsonObject) => number | null;
  /** Its end is up to someone or something outside: the execution has no timeout then, unless the definition gives one. */
  readonly waitsForOutside?: (config: JsonObject) => boolean;
  readonly usesSecrets?: boolean;
  /** Needs a `modelId`, and the node may have one. */
  readonly usesModel?: boolean;
}

/** Unknown output, and anything goes in config: what a rule is where nothing more is said. */
export function customTaskType(
  type: string,
  { configSchema = {}, outputSchema }: { configSchema?: JsonObject; outputSchema?: JsonObject } = {},
): TaskTypeRule {
  return {
    type,
    status: 'built',
    configSchema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}
