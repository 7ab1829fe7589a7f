// The tools of a model_inference: each is a task that runs when the model calls it, within the model's own attempt.
// Arguments are checked before; what goes wrong is told to the model, which may do better.

import type { NodeDefinition } from '../../core/definition/model.ts';
import { type CompiledSchema, compileSchema } from '../../core/definition/schema/input-schema.ts';
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import { ExpressionError } from '../../core/expression/errors.ts';
import { EvaluationBudget } from '../../core/expression/evaluation-budget.ts';
import { compileMapping, evaluateMapping, type Mapping } from '../../core/expression/mapping.ts';
import { FUNCTION_CONTEXT, lazy, readScope, type Scope, STEP_BUDGET } from '../../core/expression/scope.ts';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  MAX_VALUE_BYTES,
  storableText,
  toStorableJson,
} from '../../core/json.ts';
import { compiled, readField } from '../compile-config.ts';
import { eventLoop } from '../event-loop.ts';
import { MissingTypeError, type PreparedTask, type TaskContext, type TaskType } from '../task-type.ts';
import type { ToolOffer } from './model-call.ts';
import type { Spending } from './spending.ts';

/** Values of `uuid()` in a tool's task differ from those of other calls by this much of the ordinal. */
const ORDINALS_PER_CALL = 1_000_000;

export interface Tool {
  readonly name: string;
  readonly description: Mapping;
  readonly inputSchema: JsonObject;
  readonly arguments: CompiledSchema;
  readonly task: PreparedTask;
  readonly output: Mapping | null;
}

/** What the model asked for. */
export interface ToolCall {
  readonly name: string;
  readonly input: Json;
  /** Its arguments were no JSON. */
  readonly isMalformed: boolean;
}

export type ToolResult = { readonly output: Json } | { readonly error: { code: string; message: string } };

/** Prepares the tools of a node, which validation has checked. */
export function prepareTools(node: NodeDefinition, types: ReadonlyMap<string, TaskType>): Tool[] {
  const tools = readField(node, 'tools') ?? [];
  if (!Array.isArray(tools)) throw new Error(`Task "${node.taskId}": /config/tools: must be an array`);
  return (tools as readonly JsonObject[]).map((tool, index) => {
    const { name, description = '', inputSchema, task } = tool;
    const definition = {
      ...(task as JsonObject),
      taskId: node.taskId,
      dependsOn: [],
    } as unknown as NodeDefinition;
    const type = types.get(definition.taskType);
    if (type === undefined)
      throw new MissingTypeError(node.taskId, definition.taskType, `/config/tools/${index}/task: `);
    const withConfig = { ...definition, config: isJsonObject(definition.config) ? definition.config : {} };
    const schema = (inputSchema ?? { type: 'object' }) as JsonObject;
    const { outputMapping } = withConfig;
    return {
      name: String(name),
      description: compiled(node, compileMapping(description, `/config/tools/${index}/description`)),
      inputSchema: schema,
      arguments: compiled(node, compileSchema(schema)),
      task: type.prepare(withConfig, types),
      output: outputMapping === undefined ? null : compiled(node, compileMapping(outputMapping, '')),
    };
  });
}

/** As the model is told of them. */
export function offersOf(tools: readonly Tool[], scope: Scope): ToolOffer[] {
  return tools.map(({ name, description, inputSchema }) => ({
    name,
    description: String(evaluateMapping(description, scope)),
    inputSchema,
  }));
}

/**
 * Runs the `n`-th call of a conversation (from 1). Rejects only where the attempt itself ends: aborted, or its service has
 * no slot now.
 */
export async function callTool(
  tools: readonly Tool[],
  call: ToolCall,
  n: number,
  context: TaskContext,
  spending: Spending,
): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name);
  const names = tools.map(({ name }) => name).join(', ');
  if (tool === undefined) return refused(`there is no tool "${call.name}"; there are: ${names}`);
  if (call.isMalformed) return refused('the arguments are not JSON');
  const problems = await eventLoop.run(context.tenantId, () => tool.arguments.validate(call.input));
  if (problems.length > 0)
    return refused(
      `the arguments do not fit the inputSchema: ${problems
        .slice(0, 10)
        .map(({ pointer, message }) => `${pointer === '' ? 'they' : pointer} ${message}`)
        .join('; ')}`,
    );
  try {
    return { output: await run(tool, call.input, n, context, spending) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof NotNow) throw error;
    return { error: { code: codeOf(error), message: context.outside.redact(messageOf(error)) } };
  }
}

async function run(
  tool: Tool,
  input: Json,
  n: number,
  context: TaskContext,
  spending: Spending,
): Promise<Json> {
  const inner = innerContext(context, input, n, spending.ofTool(tool.name));
  const outcome = await tool.task.run(inner);
  if (outcome.kind !== 'completed')
    throw new TerminalError('not_allowed', `a tool must complete at once, got "${outcome.kind}"`);
  return await eventLoop.run(context.tenantId, () => {
    const output =
      tool.output === null
        ? outcome.output
        : evaluateMapping(tool.output, withNames(inner.scope, { output: outcome.output }));
    const stored = toStorableJson(output, MAX_VALUE_BYTES);
    if (!stored.ok) throw new TerminalError(stored.code, `the tool's output ${stored.message}`);
    return JSON.parse(stored.json) as Json;
  });
}

/** The task sees the arguments as its input, and everything else as the model_inference does. */
function innerContext(
  context: TaskContext,
  input: Json,
  n: number,
  addCost: TaskContext['addCost'],
): TaskContext {
  const idempotencyKey = `${context.idempotencyKey}#tool:${n}`;
  const { scope, attempt, taskId } = context;
  const functions = scope[FUNCTION_CONTEXT];
  const task = lazy(() => {
    const outer = readScope(scope, 'task');
    return { id: taskId, attempt, ...(isJsonObject(outer) && outer), idempotencyKey, input };
  });
  const inner: Partial<TaskContext> = {
    input,
    idempotencyKey,
    scope: withNames(scope, {
      task,
      // The model has been waited for since the last one.
      [STEP_BUDGET]: new EvaluationBudget(),
      ...(functions !== undefined && {
        [FUNCTION_CONTEXT]: {
          now: functions.now,
          uuid: (ordinal: number) => functions.uuid(ordinal + n * ORDINALS_PER_CALL),
        },
      }),
    }),
    lastCheckpoint: undefined,
    checkpoint: () =>
      Promise.reject(new TerminalError('not_allowed', 'a task that is a tool has no checkpoint of its own')),
    openCallback: () =>
      Promise.reject(new TerminalError('not_allowed', 'a task that is a tool cannot wait for a callback')),
    openSignalWait: () =>
      Promise.reject(new TerminalError('not_allowed', 'a task that is a tool cannot wait for a signal')),
    addCost,
    parents: [],
    branches: [],
    phase: null,
    parts: [],
  };
  // The outer context has accessors, which a copy would call.
  return Object.create(context, Object.getOwnPropertyDescriptors(inner)) as TaskContext;
}

/** A scope with more names, lazy ones kept. */
export function withNames(scope: Scope, names: { readonly [name: string | symbol]: unknown }): Scope {
  return Object.assign(Object.create(null) as Record<string, unknown>, scope, names) as Scope;
}

function refused(message: string): ToolResult {
  return { error: { code: 'validation', message } };
}

function codeOf(error: unknown): string {
  if (error instanceof TerminalError || error instanceof RetryableError || error instanceof ExpressionError)
    return error.code;
  return 'handler_error';
}

function messageOf(error: unknown): string {
  return storableText(error instanceof Error ? error.message : String(error), 2000);
}
