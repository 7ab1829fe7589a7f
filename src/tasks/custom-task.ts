// `defineTask`: how authors make a task type of their own, in a module that DAGWRIGHT_TASKS names.

import { BUILTIN_TASK_TYPES } from '../core/definition/schema/builtin-types.ts';
import { customTaskType, type TaskTypeRule } from '../core/definition/task-type.ts';
import { compileMapping, evaluateMapping } from '../core/expression/mapping.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { TaskLog } from '../core/log-lines.ts';
import { compareUsd, parseUsd } from '../core/money.ts';
import { compiled } from './compile-config.ts';
import { checkDefaults, checkResult, type TypeDefaults, unfit, valueCheck } from './custom-task-check.ts';
import { missingSecret } from './read-secrets.ts';
import type { SchemaValue } from './schema-value.ts';
import type { TaskContext, TaskType } from './task-type.ts';

/** What an author's `run` gets. */
export interface CustomTaskContext<Config = JsonObject, Input = Json, Secret extends string = never> {
  readonly executionId: string;
  readonly taskId: string;
  /** Counts from 1. */
  readonly attempt: number;
  readonly input: Input;
  /** With its templates evaluated. */
  readonly config: Config;
  /** Those that the type declares, by name. Their values are hidden in outputs, errors and logs. */
  readonly secrets: { readonly [Name in Secret]: string };
  /** Aborted at the timeout, cancel, a lost lease and shutdown. */
  readonly signal: AbortSignal;
  /** The same for every attempt of this task. */
  readonly idempotencyKey: string;
  /** What an earlier attempt kept, or undefined. */
  readonly lastCheckpoint: Json | undefined;
  /** Keeps progress for a later attempt; committed when it resolves. */
  readonly checkpoint: (state: Json) => Promise<void>;
  /** Adds US dollars (0 or more, exact decimals; null: unknown) to this attempt's cost. */
  readonly addCost: (usd: string | number | null, usage?: JsonObject) => void;
  readonly log: TaskLog;
  /** The Fetch API, guarded: public addresses on ports 80 and 443, and what DAGWRIGHT_ALLOWED_HOSTS names. Ends with the attempt. */
  readonly fetch: typeof globalThis.fetch;
}

/** Schemas are TypeBox's or JSON Schema 2020-12, and give the types of `run`. */
export interface CustomTask<
  Config extends object = JsonObject,
  Input extends object = JsonObject,
  Output extends object = JsonObject,
  Secret extends string = never,
> extends TypeDefaults {
  readonly type: string;
  /** Of `config`: checked when a definition is validated, and again when its templates are evaluated. */
  readonly configSchema?: Config;
  /** Of the task's input; what does not fit fails the task as `validation`. */
  readonly inputSchema?: Input;
  /** Of the result; what does not fit fails the task as `output_invalid`, which is retried only where `retryOn` names it. */
  readonly outputSchema?: Output;
  /** Names of secrets: `SHOP` is DAGWRIGHT_SECRET_SHOP of the tenant `default`. Without one of them the task fails. */
  readonly secrets?: readonly Secret[];
  /** Its result is the output. Throw TerminalError or RetryableError; anything else is retried by policy. */
  run(
    context: CustomTaskContext<SchemaValue<Config, JsonObject>, SchemaValue<Input, Json>, Secret>,
  ): SchemaValue<Output, unknown> | Promise<SchemaValue<Output, unknown>>;
}

/** A task type, as workers, `workflow()` and DAGWRIGHT_TASKS take it. */
export interface CustomTaskType<Config = unknown> extends TaskType {
  /** What validation knows of it. */
  readonly rule: TaskTypeRule;
  /** For the types of definitions only; never there. */
  readonly configType?: Config;
}

const TYPE_NAME = /^[a-z][a-z0-9_.-]{0,99}$/;

/** Throws a DagwrightError `validation` where what it declares does not fit. */
export function defineTask<
  const Config extends object = JsonObject,
  const Input extends object = JsonObject,
  const Output extends object = JsonObject,
  const Secret extends string = never,
>(task: CustomTask<Config, Input, Output, Secret>): CustomTaskType<SchemaValue<Config, JsonObject>> {
  const { type, timeoutSeconds, retry, secrets = [] } = task;
  if (typeof type !== 'string' || !TYPE_NAME.test(type))
    throw unfit(
      `type must be lower-case letters, digits, "_", "." and "-", beginning with a letter, got ${JSON.stringify(type)}`,
      "type: 'send_invoice'",
    );
  if (BUILTIN_TASK_TYPES.has(type)) throw unfit(`"${type}" is a built-in task type`, 'take another name');
  if (typeof task.run !== 'function')
    throw unfit(`run of "${type}" must be a function`, 'async run({ config, input }) { … }');
  if (!Array.isArray(secrets) || secrets.some((name) => typeof name !== 'string' || name === ''))
    throw unfit(`secrets of "${type}" must be a list of names`, "secrets: ['SHOP']");
  checkDefaults(type, { timeoutSeconds, retry });
  const configCheck = valueCheck(type, 'configSchema', task.configSchema);
  const inputCheck = valueCheck(type, 'inputSchema', task.inputSchema);
  const outputCheck = valueCheck(type, 'outputSchema', task.outputSchema);
  return {
    type,
    isPure: false,
    defaults: { timeoutSeconds, retry },
    rule: customTaskType(type, { configSchema: configCheck?.schema, outputSchema: outputCheck?.schema }),
    prepare(node) {
      const config = compiled(node, compileMapping(node.config, '/config'));
      return {
        mappings: [config],
        async run(context) {
          const evaluated = evaluateMapping(config, context.scope) as JsonObject;
          configCheck?.check(context.taskId, evaluated);
          inputCheck?.check(context.taskId, context.input);
          const own = { config: evaluated, secrets: await readSecrets(secrets, context) };
          const output = await task.run(authorContext(context, own) as Parameters<typeof task.run>[0]);
          if (outputCheck !== undefined) checkResult(outputCheck, context.taskId, output);
          return { kind: 'completed', output };
        },
      };
    },
  };
}

async function readSecrets(names: readonly string[], context: TaskContext): Promise<Record<string, string>> {
  const values = Object.create(null) as Record<string, string>;
  for (const name of names) {
    const secret = await context.outside.secrets.read(name);
    if (secret === null) throw await missingSecret(name, context);
    values[name] = secret.value;
  }
  return values;
}

// Only what is promised to authors: the rest of TaskContext may change.
function authorContext(
  context: TaskContext,
  own: { readonly config: JsonObject; readonly secrets: Readonly<Record<string, string>> },
): CustomTaskContext<JsonObject, Json, string> {
  return {
    executionId: context.executionId,
    taskId: context.taskId,
    attempt: context.attempt,
    input: context.input,
    ...own,
    signal: context.signal,
    idempotencyKey: context.idempotencyKey,
    lastCheckpoint: context.lastCheckpoint,
    checkpoint: (state) => context.checkpoint(state),
    addCost(usd, usage) {
      if (usd !== null && compareUsd(usd, 0) < 0)
        throw new RangeError(`addCost: a cost cannot be negative, got ${usd}`);
      context.addCost(usd === null ? null : parseUsd(usd), usage);
    },
    log: context.log,
    fetch: (input, init) => context.outside.http.fetch(input, withSignal(input, init, context.signal)),
  };
}

// A call ends with its attempt, whatever signal of its own it has.
function withSignal(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  signal: AbortSignal,
): RequestInit {
  const own = init?.signal ?? (input instanceof Request ? input.signal : null);
  return { ...init, signal: own === null ? signal : AbortSignal.any([own, signal]) };
}
