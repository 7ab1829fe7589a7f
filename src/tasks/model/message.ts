// The messages of a conversation as model_inference takes, keeps and gives them back: JSON, the same for every provider.
import type { NodeDefinition } from '../../core/definition/model.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { invalidField } from '../compile-config.ts';

export const ROLES = ['system', 'user', 'assistant', 'tool'] as const;

export type ModelMessage = JsonObject & {
  readonly role: (typeof ROLES)[number];
  /** Text, or content parts. */
  readonly content: string | readonly ContentPart[];
};

/**
 * `text` { text }; `image` and `file` { url | data, mediaType, filename? } with an https address or base64; of models
 * also `reasoning` { text } and `tool-call` { toolCallId, toolName, input }; in tool messages `tool-result`
 * { toolCallId, toolName, output } or { …, error }. Each may carry `providerOptions`.
 */
export type ContentPart = JsonObject & { readonly type: string };

const PARTS: { readonly [role in ModelMessage['role']]: readonly string[] } = {
  system: ['text'],
  user: ['text', 'image', 'file'],
  assistant: ['text', 'reasoning', 'tool-call'],
  tool: ['tool-result'],
};
const DATA_URL = /^data:([^;,]+)(?:;[^;,]+)*;base64,(.*)$/s;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const MEDIA_TYPE = /^[a-z]+\/[A-Za-z0-9.+*-]+$/;

/** Checks what an author wrote or an earlier task gave. Throws `validation` that names the place. */
export function readMessages(node: NodeDefinition, field: string, value: Json): ModelMessage[] {
  if (!Array.isArray(value)) throw invalidField(node, field, 'an array of messages', value);
  return (value as readonly Json[]).map((message, index) => readMessage(node, `${field}[${index}]`, message));
}

function readMessage(node: NodeDefinition, at: string, message: Json): ModelMessage {
  const role = isJsonObject(message) ? ROLES.find((one) => one === message.role) : undefined;
  const content = isJsonObject(message) ? message.content : undefined;
  if (role === undefined || !(typeof content === 'string' || Array.isArray(content)))
    throw invalidField(node, at, `{ role: ${ROLES.join(' | ')}, content: text or parts }`, message);
  const { providerOptions } = message as JsonObject;
  return {
    role,
    content:
      typeof content === 'string' && role !== 'tool'
        ? content
        : readParts(node, `${at}.content`, role, content as Json),
    ...(isJsonObject(providerOptions) && { providerOptions }),
  };
}

/** Content parts of a message of this role; a prompt may also be such a list. */
export function readParts(
  node: NodeDefinition,
  at: string,
  role: ModelMessage['role'],
  value: Json,
): ContentPart[] {
  if (!Array.isArray(value)) throw invalidField(node, at, 'a list of content parts', value);
  return (value as readonly Json[]).map((part, index) => {
    const where = `${at}[${index}]`;
    if (!isJsonObject(part) || typeof part.type !== 'string' || !PARTS[role].includes(part.type))
      throw invalidField(
        node,
        where,
        `a content part of type ${PARTS[role].join(', ')} (role ${role})`,
        part,
      );
    return checkPart(node, where, part as ContentPart);
  });
}

function checkPart(node: NodeDefinition, at: string, part: ContentPart): ContentPart {
  const needsText = (name: string): void => {
    if (typeof part[name] !== 'string')
      throw invalidField(node, `${at}.${name}`, 'a text', part[name] ?? null);
  };
  switch (part.type) {
    case 'text':
    case 'reasoning':
      needsText('text');
      return part;
    case 'image':
    case 'file':
      return readFile(node, at, part);
    default:
      needsText('toolCallId');
      needsText('toolName');
      return part;
  }
}

/** An address is handed to the provider as it is and never fetched here, so it must be https; data must be base64. */
function readFile(node: NodeDefinition, at: string, part: ContentPart): ContentPart {
  const { url, data, image, mediaType, filename, providerOptions } = part;
  const source = url ?? data ?? image ?? null;
  const embedded = typeof source === 'string' ? DATA_URL.exec(source) : null;
  const type = embedded?.[1] ?? mediaType ?? (part.type === 'image' ? 'image/*' : null);
  if (typeof type !== 'string' || !MEDIA_TYPE.test(type))
    throw invalidField(node, `${at}.mediaType`, 'a media type such as application/pdf', type);
  const common = {
    type: part.type,
    mediaType: type,
    ...(typeof filename === 'string' && { filename }),
    ...(isJsonObject(providerOptions) && { providerOptions }),
  };
  if (
    typeof source === 'string' &&
    embedded === null &&
    source.startsWith('https://') &&
    URL.canParse(source)
  )
    return { ...common, url: source };
  const base64 = embedded?.[2] ?? (typeof data === 'string' ? data : image);
  if (typeof base64 === 'string' && BASE64.test(base64)) return { ...common, data: base64 };
  throw invalidField(node, at, 'url: an https address, or data: base64 with its mediaType', source);
}

/** The text of a message, its parts joined; other parts by their kind. */
export function textOf(message: ModelMessage): string {
  if (typeof message.content === 'string') return message.content;
  return message.content
    .map((part) => (typeof part.text === 'string' ? part.text : JSON.stringify(part)))
    .join('\n');
}

/** What a provider wrote to stand for the messages before it: it is sent again, and is no part of the answer. */
export function isSummary({ providerOptions }: ContentPart): boolean {
  if (!isJsonObject(providerOptions)) return false;
  return Object.values(providerOptions).some((one) => isJsonObject(one) && one.type === 'compaction');
}

/** For storing: without the bytes of images and files, which would not fit beside the answer. */
export function withoutFileData(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.map((message) =>
    typeof message.content === 'string' ? message : { ...message, content: message.content.map(withoutData) },
  );
}

function withoutData(part: ContentPart): ContentPart {
  if (typeof part.data !== 'string') return part;
  const bytes = Math.floor((part.data.replace(/=+$/, '').length * 3) / 4);
  return { type: 'text', text: `[${part.type} ${String(part.mediaType)}, ${bytes} bytes]` };
}
