// The tools of a model_inference: each is a task that runs when the model calls it, within the model's own attempt.
// Arguments are checked before; what goes wrong is told to the model, which may do better.

import type { NodeDefinition } from '../../core/definition/model.ts';
import { type CompiledSchema, compileSchema } from '../../core/definition/schema/input-schema.ts';
import { NotNow, RetryableError, TerminalError } from '../../core/errors.ts';
import { ExpressionError } from '../../core/expression/errors.ts';
import { compileMapping, evaluateMapping, type Mapping } from '../../core/expression/mapping.ts';
import type { Scope } from '../../core/expression/scope.ts';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  MAX_VALUE_BYTES,
  storableText,
  toStorableJson,
} from '../../core/json.ts';
import { type Assignee, assigneeText } from '../../core/review.ts';
import { compiled, readField } from '../compile-config.ts';
import { eventLoop } from '../event-loop.ts';
import { MissingTypeError, type PreparedTask, type TaskContext, type TaskType } from '../task-type.ts';
import { contextWithin, withNames } from '../task-within.ts';
import type { ToolOffer } from './model-call.ts';
import type { Spending } from './spending.ts';

/** Who approves the calls of a tool, as its definition says it. */
export interface ToolApproval {
  readonly assignees: readonly string[];
  readonly requiredApprovals: number;
  readonly selfApproval: boolean;
  readonly priority: number;
  readonly dueInSeconds: number | null;
}

export interface Tool {
  readonly name: string;
  readonly description: Mapping;
  readonly inputSchema: JsonObject;
  readonly arguments: CompiledSchema;
  readonly task: PreparedTask;
  readonly output: Mapping | null;
  /** Who approves its calls; null: nobody needs to. */
  readonly approval: ToolApproval | null;
}

/** What the model asked for. */
export interface ToolCall {
  readonly name: string;
  readonly input: Json;
  /** Its arguments were no JSON. */
  readonly isMalformed: boolean;
}

export type ToolResult = { readonly output: Json } | { readonly error: { code: string; message: string } };

/** `approval` of a tool, which validation has checked; null: it needs none. */
function readApproval(approval: Json | undefined): ToolApproval | null {
  if (approval === undefined || approval === false) return null;
  const given: JsonObject = isJsonObject(approval) ? approval : {};
  const {
    assignees = [],
    requiredApprovals = 1,
    selfApproval = false,
    priority = 5,
    dueInSeconds = null,
  } = given;
  return {
    assignees: (assignees as unknown as readonly Assignee[]).map(assigneeText),
    requiredApprovals: requiredApprovals as number,
    selfApproval: selfApproval as boolean,
    priority: priority as number,
    dueInSeconds: dueInSeconds as number | null,
  };
}

/** Prepares the tools of a node, which validation has checked. */
export function prepareTools(node: NodeDefinition, types: ReadonlyMap<string, TaskType>): Tool[] {
  const tools = readField(node, 'tools') ?? [];
  if (!Array.isArray(tools)) throw new Error(`Task "${node.taskId}": /config/tools: must be an array`);
  return (tools as readonly JsonObject[]).map((tool, index) => {
    const { name, description = '', inputSchema, task, approval } = tool;
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
      approval: readApproval(approval),
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

/** Why a call cannot be made, whoever approves it; null: it can. */
export async function refuseCall(
  tools: readonly Tool[],
  call: ToolCall,
  context: TaskContext,
): Promise<ToolResult | null> {
  const tool = tools.find(({ name }) => name === call.name);
  const names = tools.map(({ name }) => name).join(', ');
  if (tool === undefined) return refused(`there is no tool "${call.name}"; there are: ${names}`);
  if (call.isMalformed) return refused('the arguments are not JSON');
  const problems = await eventLoop.run(context.tenantId, () => tool.arguments.validate(call.input));
  if (problems.length === 0) return null;
  return refused(
    `the arguments do not fit the inputSchema: ${problems
      .slice(0, 10)
      .map(({ pointer, message }) => `${pointer === '' ? 'they' : pointer} ${message}`)
      .join('; ')}`,
  );
}

/**
 * Runs the `n`-th call of a conversation (from 1), which `refuseCall` does not refuse. Rejects only where the attempt itself ends: aborted, or its service has
 * no slot now.
 */
export async function callTool(
  tools: readonly Tool[],
  call: ToolCall,
  n: number,
  context: TaskContext,
  spending: Spending,
): Promise<ToolResult> {
  const tool = tools.find(({ name }) => name === call.name)!;
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
  // It sees the arguments as its input, and everything else as the model_inference does.
  const addCost = spending.ofTool(tool.name);
  const inner = contextWithin(context, { what: 'a tool', input, key: `#tool:${n}`, ordinal: n, addCost });
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
