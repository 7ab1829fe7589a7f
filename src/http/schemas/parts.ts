// Parts of the schemas that describe answers (OpenAPI). A `title` such as `Webhook` names the schema there; no answer is
// checked or changed by them: test/http/openapi-answers.test.ts holds real answers against them.

import { Type } from 'typebox';
import { DEFINITION_STATUSES } from '../../core/definition/model.ts';
import type { TextRule } from '../../resources/text-rule.ts';

export const words = (list: readonly string[], description?: string) =>
  Type.String({ enum: [...list], ...(description === undefined ? {} : { description }) });

export const nullable = (type: 'string' | 'integer', more: object = {}) =>
  Type.Unsafe<string | null>({ type: [type, 'null'], ...more });

export const nullOr = (schema: object, description: string) =>
  Type.Unsafe<unknown>({ anyOf: [schema, { type: 'null' }], description });

export const id = (description?: string) =>
  Type.String({ format: 'uuid', ...(description === undefined ? {} : { description }) });

export const nullableId = (description: string) => nullable('string', { format: 'uuid', description });

export const instant = (description?: string) =>
  Type.String({ format: 'date-time', ...(description === undefined ? {} : { description }) });

export const nullableInstant = (description: string) =>
  nullable('string', { format: 'date-time', description });

/** An object whose members are its owner's. */
export const anyObject = (description: string) =>
  Type.Unsafe<unknown>({ type: 'object', additionalProperties: true, description });

/** Any JSON value, as an answer by itself. */
export const anyJson = (description: string) =>
  Type.Unsafe<unknown>({
    description,
    anyOf: [
      { type: 'object', additionalProperties: true },
      { type: 'array', items: {} },
      { type: ['string', 'number', 'boolean', 'null'] },
    ],
  });

/** Of what starts a workflow. */
export const workflowStatus = nullable('string', {
  enum: [...DEFINITION_STATUSES, null],
  description: 'Of its workflow: only an `active` one starts; null: there is no such workflow.',
});

export const made = {
  createdBy: Type.String({ description: 'Who made it: an actor.', examples: ['user:alice'] }),
  createdAt: instant(),
  updatedAt: instant(),
};

/** A page of a list; of `Webhook` it is `WebhookPage`. */
export const pageOfSchema = (item: object) =>
  Type.Unsafe<unknown>({
    ...('title' in item ? { title: `${item.title}Page` } : {}),
    type: 'object',
    description: 'A page.',
    properties: {
      items: { type: 'array', items: item },
      nextCursor: {
        type: ['string', 'null'],
        description: '`?cursor` of the next page; null: there is none.',
      },
    },
    required: ['items', 'nextCursor'],
  });

/** What is not paged: all of it. */
export const listOfSchema = (item: object, description: string) =>
  Type.Unsafe<unknown>({
    type: 'object',
    description,
    properties: { items: { type: 'array', items: item } },
    required: ['items'],
  });

/** A problem of a body, as in `errors` of a refusal. */
export const ProblemEntry = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer into the body.' }),
    code: Type.String(),
    message: Type.String(),
    hint: Type.Optional(Type.String()),
  },
  { title: 'ProblemEntry' },
);

export const TaskErrorSchema = Type.Object(
  {
    code: Type.String({ examples: ['http_404'] }),
    message: Type.String(),
    taskId: Type.Optional(Type.String()),
    status: Type.Optional(Type.Integer({ description: 'Of an HTTP answer.' })),
    details: Type.Optional(Type.Unknown()),
    attempts: Type.Optional(Type.Integer({ description: 'How many there were, where it is final.' })),
  },
  { title: 'TaskError', description: 'Why it failed.' },
);

/** A text that is as its rule says. */
export function textOf({ pattern, expected }: TextRule, more: object = {}) {
  return Type.String({ pattern: pattern.source, 'x-hint': expected, ...more });
}
