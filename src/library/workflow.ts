// `workflow()`: a definition written in TypeScript. What it gives is the plain document that YAML and JSON files hold, so
// that it can be printed, stored and compared; it is checked where it is applied.
import { dagwrightError } from '../core/dagwright-error.ts';
import type {
  CacheDefinition,
  Dependency,
  FailurePolicy,
  Retry,
  TriggerRule,
} from '../core/definition/model.ts';
import type { TriggerDefinition } from '../core/definition/trigger-model.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { CustomTaskType } from '../tasks/custom-task.ts';
import type { SchemaValue } from '../tasks/schema-value.ts';

/** A text with an expression in it stands for any value. */
type Template = `${string}{{${string}}}${string}`;

/** A value as a definition holds it: itself, or a template for it or for a part. */
export type Templated<Value> = unknown extends Value
  ? Json
  : Value extends string
    ? Value | Template
    : Value extends readonly (infer Item)[]
      ? readonly Templated<Item>[] | Template
      : Value extends object
        ? { readonly [Name in keyof Value]: Templated<Value[Name]> } | Template
        : Value | Template;

/** Config is an object of templates, never one template. */
type ConfigOf<Type> =
  Type extends CustomTaskType<infer Config>
    ? unknown extends Config
      ? JsonObject
      : string extends keyof Config
        ? JsonObject
        : { readonly [Name in keyof Config]: Templated<Config[Name]> }
    : JsonObject;

/** `Id`: of the tasks of the definition. */
export interface WorkflowNode<Id extends string, Type extends string | CustomTaskType> {
  readonly taskId: string;
  /** The name of a type, or what `defineTask` gave, by which its config is compiled. */
  readonly taskType: Type;
  readonly dependsOn?: readonly (Id | (Dependency & { readonly taskId: Id }))[];
  readonly config?: ConfigOf<Type>;
  readonly modelId?: string;
  readonly serviceId?: string;
  readonly triggerRule?: TriggerRule;
  readonly conditionExpression?: Json;
  readonly inputMapping?: Json;
  readonly outputMapping?: Json;
  readonly timeoutSeconds?: number;
  readonly retry?: Retry;
  readonly optional?: boolean;
  readonly cache?: CacheDefinition;
}

// Of a node its name; the other fields are there so that they are none too many.
type Named<Id> = { readonly taskId: Id } & {
  readonly [Field in Exclude<keyof WorkflowNode<string, string>, 'taskId'>]?: unknown;
};

export interface WorkflowSource<
  Ids extends readonly string[],
  Types extends readonly (string | CustomTaskType)[],
  Input extends object,
  Output extends object,
> {
  readonly workflowId: string;
  readonly name?: string;
  readonly description?: string;
  readonly category?: string;
  readonly version?: string;
  /** Of TypeBox, or JSON Schema 2020-12: what `start` takes. */
  readonly inputSchema?: Input;
  /** What `result` gives. */
  readonly outputSchema?: Output;
  readonly defaultParameters?: JsonObject;
  readonly timeoutSeconds?: number;
  readonly maxRetries?: number;
  readonly minTier?: number;
  readonly failurePolicy?: FailurePolicy;
  readonly defaults?: { readonly [taskType: string]: JsonObject };
  /** `dependsOn` names tasks among them. */
  readonly nodes: { readonly [At in keyof Ids]: Named<Ids[At]> } & {
    readonly [At in keyof Types]: WorkflowNode<NoInfer<Ids>[number], Types[At]>;
  };
  readonly output?: Json;
  readonly triggers?: readonly TriggerDefinition[];
}

/** The document, and for the compiler what it takes and gives. */
export interface Workflow<Input = unknown, Output = unknown> {
  readonly workflowId: string;
  readonly nodes: readonly JsonObject[];
  readonly [field: string]: Json | undefined;
  /** For the types only; never there. */
  readonly [inputOf]?: Input;
  readonly [outputOf]?: Output;
}
declare const inputOf: unique symbol;
declare const outputOf: unique symbol;

export function workflow<
  const Ids extends readonly string[],
  const Types extends readonly (string | CustomTaskType)[],
  const Input extends object = JsonObject,
  const Output extends object = JsonObject,
>(
  source: WorkflowSource<Ids, Types, Input, Output>,
): Workflow<SchemaValue<Input, Json | object>, SchemaValue<Output, Json>> {
  try {
    return documentOf(source);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw dagwrightError('not_json', `workflow: it cannot be written as JSON: ${message}`, {
      hint: 'plain values only: no BigInt, nothing that holds itself',
      cause,
    });
  }
}

function documentOf(source: { readonly nodes: unknown }): Workflow<never, never> {
  const nodes = (source.nodes as readonly WorkflowNode<string, string | CustomTaskType>[]).map((node) => ({
    ...node,
    taskType: typeof node.taskType === 'string' ? node.taskType : node.taskType.type,
  }));
  return JSON.parse(JSON.stringify({ ...source, nodes })) as Workflow<never, never>;
}
