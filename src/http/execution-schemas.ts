// Executions and tasks as the API shows them, described once for all routes (OpenAPI).
import { Type } from 'typebox';
import { EXECUTION_STATUSES, SKIP_REASONS, TASK_STATUSES } from '../core/status.ts';
import { TRIGGER_TYPES } from '../core/trigger-type.ts';
import type { ExecutionView, TaskView } from '../db/executions.ts';

const words = (list: readonly string[]) => Type.String({ enum: [...list] });
const nullable = (type: 'string' | 'integer', more: object = {}) =>
  Type.Unsafe<string | null>({ type: [type, 'null'], ...more });
const instant = (description: string) => nullable('string', { format: 'date-time', description });
const cost = nullable('string', {
  description: 'US dollars, an exact decimal; null: some of it has no known price.',
  examples: ['0.00000213'],
});
const error = Type.Unsafe<unknown>({
  type: ['object', 'null'],
  description: 'Why it failed.',
  properties: {
    code: { type: 'string', examples: ['http_404'] },
    message: { type: 'string' },
    taskId: { type: 'string' },
    status: { type: 'integer' },
    details: {},
    attempts: { type: 'integer' },
  },
});

export const TaskSchema = Type.Unsafe<TaskView>(
  Type.Object(
    {
      taskId: Type.String(),
      mapIndex: nullable('integer', { description: 'Of an item of a fan-out; null: the task itself.' }),
      taskType: Type.String(),
      status: words(TASK_STATUSES),
      reason: nullable('string', { enum: [...SKIP_REASONS, null], description: 'Why it was skipped.' }),
      attempt: Type.Integer(),
      output: Type.Unknown(),
      error,
      costUsd: cost,
      durationMs: nullable('integer', { description: 'Running time, without waiting.' }),
      startedAt: instant('Of the latest attempt.'),
      completedAt: instant('When it ended.'),
      resourceUsage: Type.Unknown({ description: 'Provider, model, tokens, latency.' }),
    },
    { description: 'One task of an execution, or one item of it.' },
  ),
);

const executionFields = {
  id: Type.String({ format: 'uuid' }),
  workflowId: Type.String(),
  revision: Type.Integer(),
  status: words(EXECUTION_STATUSES),
  output: Type.Unknown({ description: 'What it ended with.' }),
  error,
  completedWithErrors: Type.Boolean({ description: 'Some failure was caught or optional.' }),
  costUsd: cost,
  durationMs: nullable('integer'),
  triggerType: words(TRIGGER_TYPES),
  createdAt: Type.String({ format: 'date-time' }),
  startedAt: instant('When a worker opened it.'),
  completedAt: instant('When it ended.'),
};

export const ExecutionSchema = Type.Unsafe<ExecutionView>(
  Type.Object(executionFields, { description: 'One execution, without its tasks.' }),
);

export const ExecutionDetailSchema = Type.Object(
  {
    ...executionFields,
    priority: Type.Integer({ minimum: 1, maximum: 10 }),
    runAt: instant('Before then it is not opened; null: at once.'),
    pausedAt: instant('Since when it is paused.'),
    createdBy: nullable('string', { description: 'Who started it.' }),
    input: Type.Unknown(),
    metadata: Type.Unknown(),
  },
  { description: 'One execution with what was asked for.' },
);

export const RunSchema = Type.Object(
  { ...executionFields, tasks: Type.Array(TaskSchema) },
  { description: 'A finished execution with its tasks, as `dagwright run --json` prints it.' },
);

export const StartedSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  status: words(EXECUTION_STATUSES),
});

export const pageOfSchema = <T extends object>(item: T) =>
  Type.Unsafe<unknown>({
    type: 'object',
    properties: {
      items: { type: 'array', items: item },
      nextCursor: {
        type: ['string', 'null'],
        description: '`?cursor` of the next page; null: there is none.',
      },
    },
    required: ['items', 'nextCursor'],
  });
