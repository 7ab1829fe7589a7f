// How far a conversation has come: what is kept as the task's checkpoint after every turn of the model and every tool
// call, so that an attempt that takes over repeats one call at most.
import { NO_TOKENS, type TokenUsage } from '../../core/cost/usage.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ContentPart, ModelMessage } from './message.ts';

const KIND = 'conversation';

export interface Progress {
  /** What came after the conversation that the config gives. */
  readonly messages: readonly ModelMessage[];
  /** Every call of a tool with its result, in order. */
  readonly toolCalls: readonly JsonObject[];
  /** Turns of the model so far. */
  readonly turns: number;
  /** Where the messages of a repair begin; null: none was asked for. */
  readonly repairFrom: number | null;
  /** Of all turns, also those of earlier attempts. */
  readonly usage: TokenUsage;
}

export const BEGINNING: Progress = {
  messages: [],
  toolCalls: [],
  turns: 0,
  repairFrom: null,
  usage: NO_TOKENS,
};

export function toCheckpoint(progress: Progress): Json {
  return { kind: KIND, ...progress, usage: { ...progress.usage } };
}

/** Anything but a checkpoint of ours is a beginning. */
export function fromCheckpoint(checkpoint: Json | undefined): Progress {
  if (!isJsonObject(checkpoint) || checkpoint.kind !== KIND) return BEGINNING;
  const { kind: _, ...progress } = checkpoint;
  return progress as unknown as Progress;
}

/** Tool calls of the last turn that have no result yet. Results are in the order of the calls. */
export function openCalls({ messages }: Progress): ContentPart[] {
  const asked = messages.findLastIndex(({ role }) => role === 'assistant');
  const results = messages[asked + 1];
  const answered = results?.role === 'tool' && Array.isArray(results.content) ? results.content.length : 0;
  return callsOf(messages[asked]?.content ?? []).slice(answered);
}

export function callsOf(content: ModelMessage['content']): ContentPart[] {
  return typeof content === 'string' ? [] : content.filter(({ type }) => type === 'tool-call');
}

/** With one more tool result: part of the tool message that follows the turn. */
export function withResult(progress: Progress, result: ContentPart, call: JsonObject): Progress {
  const { messages, toolCalls } = progress;
  const last = messages.at(-1);
  const isOpen = last?.role === 'tool' && typeof last.content !== 'string';
  const results: readonly ContentPart[] = isOpen ? (last.content as readonly ContentPart[]) : [];
  const before = isOpen ? messages.slice(0, -1) : messages;
  return {
    ...progress,
    messages: [...before, { role: 'tool', content: [...results, result] }],
    toolCalls: [...toolCalls, call],
  };
}
