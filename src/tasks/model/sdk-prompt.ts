// Our messages as the AI SDK's, and what a model answered as ours.
import type {
  LanguageModelV4Content,
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
  SharedV4ProviderOptions,
} from '@ai-sdk/provider';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/json-shape.ts';
import type { JsonWarning } from '../../core/long-numbers.ts';
import { type ContentPart, type ModelMessage, textOf } from './message.ts';

type AssistantContent = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'];

export function sdkPrompt(messages: readonly ModelMessage[]): LanguageModelV4Prompt {
  return messages.map((message) => ({ ...sdkMessage(message), ...optionsOf(message) }));
}

function sdkMessage(message: ModelMessage): LanguageModelV4Message {
  const parts: readonly ContentPart[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  switch (message.role) {
    case 'system':
      return { role: 'system', content: textOf(message) };
    case 'user':
      return {
        role: 'user',
        content: parts.map((part) => (part.type === 'text' ? textPart(part) : filePart(part))),
      };
    case 'assistant':
      return { role: 'assistant', content: parts.map(assistantPart) };
    case 'tool':
      return { role: 'tool', content: parts.map(toolResult) };
  }
}

function assistantPart(part: ContentPart): AssistantContent[number] {
  if (part.type !== 'tool-call')
    return part.type === 'reasoning'
      ? { type: 'reasoning', text: String(part.text), ...optionsOf(part) }
      : textPart(part);
  return {
    type: 'tool-call',
    toolCallId: String(part.toolCallId),
    toolName: String(part.toolName),
    input: part.input ?? {},
    ...optionsOf(part),
  };
}

function textPart(part: ContentPart) {
  return { type: 'text' as const, text: String(part.text), ...optionsOf(part) };
}

function filePart(part: ContentPart): LanguageModelV4FilePart {
  return {
    type: 'file',
    mediaType: String(part.mediaType),
    data:
      typeof part.url === 'string'
        ? { type: 'url', url: new URL(part.url) }
        : { type: 'data', data: String(part.data) },
    ...(typeof part.filename === 'string' && { filename: part.filename }),
    ...optionsOf(part),
  };
}

function toolResult(part: ContentPart): LanguageModelV4ToolResultPart {
  const { error, output = null } = part;
  return {
    type: 'tool-result',
    toolCallId: String(part.toolCallId),
    toolName: String(part.toolName),
    output:
      error !== undefined
        ? { type: 'error-json', value: error }
        : typeof output === 'string'
          ? { type: 'text', value: output }
          : { type: 'json', value: output },
    ...optionsOf(part),
  };
}

function optionsOf(of: JsonObject): { providerOptions?: SharedV4ProviderOptions } {
  return isJsonObject(of.providerOptions)
    ? { providerOptions: of.providerOptions as SharedV4ProviderOptions }
    : {};
}

/**
 * Text, reasoning and the calls of our tools, in order. What the provider wants to see again (signatures, item ids) is
 * kept; what it ran by itself, its sources and its files are not.
 */
export function answerParts(
  content: readonly LanguageModelV4Content[],
  warn: (warning: JsonWarning) => void,
): ContentPart[] {
  const parts = content.flatMap((part): ContentPart[] => {
    const seenAgain: JsonObject =
      part.providerMetadata === undefined ? {} : { providerOptions: part.providerMetadata as JsonObject };
    switch (part.type) {
      case 'text':
      case 'reasoning':
        return [{ type: part.type, text: part.text, ...seenAgain }];
      case 'tool-call':
        if (part.providerExecuted === true) return [];
        return [
          {
            type: 'tool-call',
            toolCallId: part.toolCallId,
            toolName: part.toolName,
            ...readArguments(part.input, part.toolName, warn),
            ...seenAgain,
          },
        ];
      default:
        return [];
    }
  });
  return storableTexts(parts) as unknown as ContentPart[];
}

/** Models also write what PostgreSQL cannot store: NUL, halves of surrogate pairs. */
function storableTexts(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (Array.isArray(value)) return (value as readonly Json[]).map(storableTexts);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, storableTexts(one)]));
}

/** Arguments may be no JSON, or too much of it: the call is then answered with an error, and the model is told. */
function readArguments(text: string, tool: string, warn: (warning: JsonWarning) => void): JsonObject {
  const parsed = parseJson(text === '' ? '{}' : text);
  if (!parsed.ok) return { input: {}, malformed: text.slice(0, 1000) };
  const warning = parsed.longNumbers.warning(`what the model gives the tool "${tool.slice(0, 100)}"`);
  if (warning !== null) warn(warning);
  return { input: parsed.value };
}
