// The conversation of one model_inference: the model is asked, the tools that it calls are run, and so on until it answers
// with a text, and with a responseSchema until that fits.
//   C1  After every turn that is not the last, and after every tool call, the progress is committed before anything else
//       happens. A resumed attempt adds no cost of earlier turns.
//   C2  A turn is never asked for beyond maxSteps, but for the one repair of an answer that does not fit.
import { answeredByOther } from '../../core/cost/bill.ts';
import { addTokenUsage, NO_TOKENS } from '../../core/cost/usage.ts';
import type { CompiledSchema } from '../../core/definition/schema/input-schema.ts';
import { RetryableError, TerminalError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ReviewRequest } from '../../core/review.ts';
import type { TaskContext, TaskOutcome } from '../task-type.ts';
import { type Asked, askModel } from './ask-model.ts';
import {
  callsOf,
  fromCheckpoint,
  openCalls,
  type Progress,
  toCheckpoint,
  withResult,
} from './conversation-progress.ts';
import { type ContentPart, type ModelMessage, withoutFileData } from './message.ts';
import type { Answered, ModelAnswer } from './model-call.ts';
import type { ModelRequest } from './model-config.ts';
import { Spending, usageOf } from './spending.ts';
import { readStructured, repairRequest } from './structured-answer.ts';
import { judgeCall } from './tool-approval.ts';
import { callTool, offersOf, refuseCall, type Tool, type ToolApproval, type ToolResult } from './tools.ts';
import { cutError, modelOf, refuseEmpty, refuseUnusable, textOfAnswer } from './usable-answer.ts';

/** Calls of tools that one turn may ask for; further ones are answered as errors. */
const MAX_CALLS_PER_TURN = 64;

export interface Conversation {
  readonly request: ModelRequest;
  readonly tools: readonly Tool[];
  readonly responseSchema: { readonly json: JsonObject; readonly compiled: CompiledSchema } | null;
  /** Null: the provider's own. */
  readonly serviceId: string | null;
}

export type ConversationEnd = Extract<TaskOutcome, { readonly kind: 'completed' | 'waitForReview' }>;

/** Its output is that of CONTRACT 3. It waits where people are to approve a call of a tool. */
export async function converse(conversation: Conversation, context: TaskContext): Promise<ConversationEnd> {
  const { request, tools, responseSchema } = conversation;
  const spending = new Spending(context);
  const offers = offersOf(tools, context.scope);
  let progress = fromCheckpoint(context.lastCheckpoint);
  const keep = async (next: Progress): Promise<void> => {
    progress = next;
    await context.checkpoint(toCheckpoint(next));
  };
  for (;;) {
    const calls = openCalls(progress);
    if (calls.length > 0 && progress.turns >= request.maxSteps)
      throw loopLimit(context.taskId, request.maxSteps);
    for (const [index, call] of calls.entries()) {
      const answered = await answerCall(call, index, progress, tools, context, spending);
      if (answered.kind === 'waits') return { kind: 'waitForReview', opens: answered.opens };
      await keep(answered.progress);
    }
    const asked = await askModel(request.models, conversation.serviceId, context, spending, (model) =>
      model.generate({
        taskId: context.taskId,
        messages: [...request.messages, ...progress.messages],
        tools: offers,
        responseSchema: responseSchema?.json ?? null,
        temperature: request.temperature,
        maxOutputTokens: request.maxOutputTokens,
        providerOptions: request.providerOptions,
        attempt: context.attempt,
        signal: context.signal,
      }),
    );
    const { answer } = asked;
    refuseUnusable(asked, tools, context);
    const turn: Progress = {
      ...progress,
      turns: progress.turns + 1,
      usage: addTokenUsage(progress.usage, answer.bill.usage ?? NO_TOKENS),
    };
    if (callsOf(answer.content).length > 0) {
      await keep({
        ...turn,
        messages: [...progress.messages, { role: 'assistant', content: answer.content }],
      });
      continue;
    }
    const text = textOfAnswer(answer);
    if (responseSchema === null) {
      refuseEmpty(asked, request, context);
      return { kind: 'completed', output: outputOf(request, turn, asked, text) };
    }
    const read = readStructured(answer.structuredText ?? text, responseSchema.compiled);
    if (read.ok) {
      const warning = read.longNumbers.warning(`the answer of ${modelOf(asked)}`);
      if (warning !== null)
        context.log.warn(warning.message, { code: warning.code, pointer: warning.pointer });
      return {
        kind: 'completed',
        output: { ...outputOf(request, turn, asked, text), object: read.value },
      };
    }
    // Asked again it would be cut again.
    if (answer.finishReason === 'length')
      throw cutError(asked, request, context, 'before its JSON was whole');
    if (progress.repairFrom !== null) {
      // A further attempt asks anew for the answer, without what went wrong, and does not call the tools again.
      await keep({ ...turn, messages: progress.messages.slice(0, progress.repairFrom), repairFrom: null });
      throw new RetryableError(
        context.outside.redact(
          `Task "${context.taskId}": the answer of ${modelOf(asked)} does not fit the responseSchema, also when asked again: ${read.problems.join('; ').slice(0, 1000)}`,
        ),
        { code: 'output_invalid', details: { problems: read.problems.map(context.outside.redact) } },
      );
    }
    await keep({
      ...turn,
      repairFrom: progress.messages.length,
      messages: [
        ...progress.messages,
        { role: 'assistant', content: text === '' ? '(nothing)' : text },
        { role: 'user', content: repairRequest(read.problems, responseSchema.json) },
      ],
    });
  }
}

async function answerCall(
  call: ContentPart,
  index: number,
  progress: Progress,
  tools: readonly Tool[],
  context: TaskContext,
  spending: Spending,
): Promise<
  | { readonly kind: 'answered'; readonly progress: Progress }
  | { readonly kind: 'waits'; readonly opens: ReviewRequest | null }
> {
  const { toolCallId, toolName, input: asked = null, malformed } = call;
  const id = String(toolCallId);
  const name = String(toolName);
  const n = progress.toolCalls.length + 1;
  const withAnswer = (result: ToolResult, input: Json) => ({
    kind: 'answered' as const,
    progress: withResult(
      progress,
      { type: 'tool-result', toolCallId: id, toolName: name, ...result },
      { id, name, input, ...result },
    ),
  });
  if (index >= MAX_CALLS_PER_TURN)
    return withAnswer(
      { error: { code: 'validation', message: `more than ${MAX_CALLS_PER_TURN} calls in one turn` } },
      asked,
    );
  const wanted = { name, input: asked, isMalformed: malformed !== undefined };
  const refusal = await refuseCall(tools, wanted, context);
  if (refusal !== null) return withAnswer(refusal, asked);
  const tool = tools.find((one) => one.name === name);
  let input = asked;
  if (tool !== undefined && isApproved(tool)) {
    const verdict = await judgeCall(tool, { ...wanted, id }, n, context);
    if (verdict.kind === 'waits') return verdict;
    if (verdict.kind === 'refused')
      return withAnswer({ error: { code: 'not_allowed', message: verdict.message } }, asked);
    input = verdict.input;
  }
  return withAnswer(await callTool(tools, { ...wanted, input }, n, context, spending), input);
}

function isApproved(tool: Tool): tool is Tool & { readonly approval: ToolApproval } {
  return tool.approval !== null;
}

function loopLimit(taskId: string, maxSteps: number): TerminalError {
  return new TerminalError(
    'loop_limit',
    `Task "${taskId}": the model still calls tools after ${maxSteps} turns (config.maxSteps)`,
  );
}

function outputOf(
  request: ModelRequest,
  turn: Progress,
  asked: Asked<ModelAnswer>,
  text: string,
): JsonObject {
  const answered: ModelMessage = { role: 'assistant', content: text };
  return {
    text,
    finishReason: asked.answer.finishReason,
    model: modelOf(asked),
    ...answererOf(asked),
    messages: withoutFileData([...request.messages, ...turn.messages, answered]),
    toolCalls: turn.toolCalls,
    usage: usageOf(asked.answer.bill, turn.usage),
  };
}

/** The model that answered, where it is another than was asked for. */
export function answererOf({ answer: { bill }, access }: Asked<Answered>): JsonObject {
  return answeredByOther(bill, access.provider, access.name) ? { answeredBy: bill.answeredBy } : {};
}
