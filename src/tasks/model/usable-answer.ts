// Whether an answer of a model is one: not refused, not broken off, not cut, not empty. All of them are paid for.
import { RetryableError, TerminalError } from '../../core/errors.ts';
import type { TaskContext } from '../task-type.ts';
import type { Asked } from './ask-model.ts';
import { callsOf } from './conversation-progress.ts';
import { isSummary } from './message.ts';
import type { ModelAnswer } from './model-call.ts';
import type { ModelRequest } from './model-config.ts';
import type { Tool } from './tools.ts';

/** A refusal is paid for and is no answer; nor is one that broke off, or that calls what it was not offered. */
export function refuseUnusable(
  asked: Asked<ModelAnswer>,
  tools: readonly Tool[],
  context: TaskContext,
): void {
  const { answer } = asked;
  const { outside } = context;
  const where = placeOf(asked, context);
  if (answer.finishReason === 'content-filter') {
    const said = textOfAnswer(answer);
    throw new TerminalError(
      'provider_refused',
      outside.redact(`${where} refused to answer${said === '' ? '' : `: ${said.slice(0, 500)}`}`),
    );
  }
  const calls = callsOf(answer.content);
  const isEmpty = textOfAnswer(answer) === '' && calls.length === 0;
  if (answer.finishReason === 'error' || (answer.finishReason === 'other' && isEmpty))
    throw new RetryableError(`${where} gave no usable answer`, { code: 'output_invalid' });
  if (calls.length > 0 && answer.finishReason === 'length')
    throw cutError(asked, null, context, 'in a call of a tool');
  const foreign = calls.find(({ toolName }) => !tools.some(({ name }) => name === toolName));
  if (foreign === undefined) return;
  const offered =
    tools.length === 0 ? 'there are none' : `there are: ${tools.map(({ name }) => name).join(', ')}`;
  throw new TerminalError(
    'output_invalid',
    outside.redact(
      `${where} called the tool "${String(foreign.toolName).slice(0, 100)}", which it was never offered; ${offered}`,
    ),
  );
}

/** A text that is missing or cut is no silent success. */
export function refuseEmpty(asked: Asked<ModelAnswer>, request: ModelRequest, context: TaskContext): void {
  const { answer } = asked;
  const where = placeOf(asked, context);
  const isEmpty = textOfAnswer(answer).trim() === '';
  if (answer.finishReason === 'length') {
    if (isEmpty) throw cutError(asked, request, context, 'before it said anything');
    context.log.warn(
      `${where}: the answer was cut at the output limit${limitText(request)}; its text is not whole`,
    );
    return;
  }
  if (!isEmpty) return;
  const hasReasoned =
    answer.content.some(({ type }) => type === 'reasoning') || (answer.bill.usage?.reasoningTokens ?? 0) > 0;
  if (hasReasoned)
    throw new RetryableError(`${where} reasoned, and then gave no text`, { code: 'output_invalid' });
  context.log.warn(`${where} gave an empty text`);
}

/** Terminal: a retry would buy the same answer, cut at the same place. */
export function cutError(
  asked: Asked<ModelAnswer>,
  request: ModelRequest | null,
  context: TaskContext,
  when: string,
): TerminalError {
  return new TerminalError(
    'output_invalid',
    `${placeOf(asked, context)} was cut at the output limit${limitText(request)} ${when}; raise config.maxOutputTokens`,
  );
}

const limitText = (request: ModelRequest | null) =>
  request === null || request.maxOutputTokens === null ? '' : ` (maxOutputTokens ${request.maxOutputTokens})`;

const placeOf = (asked: Asked<ModelAnswer>, { taskId }: TaskContext) => `Task "${taskId}": ${modelOf(asked)}`;

/** What it said, without what stands for messages before it. */
export function textOfAnswer({ content }: ModelAnswer): string {
  return content
    .filter((part) => part.type === 'text' && !isSummary(part))
    .map(({ text }) => String(text))
    .join('');
}

/** As it was asked for. */
export function modelOf({ access }: Asked<ModelAnswer>): string {
  return `${access.provider}/${access.name}`;
}
