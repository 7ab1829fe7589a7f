// Executions and tasks as the API shows them, described once for all routes (OpenAPI).
import { Type } from 'typebox';
import { LOG_LINE_LEVELS } from '../../core/log-lines.ts';
import { EXECUTION_STATUSES, SKIP_REASONS, TASK_STATUSES } from '../../core/status.ts';
import { TRIGGER_TYPES } from '../../core/trigger/trigger-type.ts';
import { EXECUTION_PARTS, type ExecutionView, type TaskView } from '../../db/executions/execution-views.ts';
import {
  anyObject,
  id,
  instant,
  nullable,
  nullableInstant,
  nullOr,
  TaskErrorSchema,
  words,
} from './parts.ts';

const cost = nullable('string', {
  description: 'US dollars, an exact decimal; null: some of it has no known price.',
  examples: ['0.00000213'],
});
const error = nullOr(TaskErrorSchema, 'Why it failed; null: it did not.');

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
      startedAt: nullableInstant('Of the latest attempt.'),
      completedAt: nullableInstant('When it ended.'),
      resourceUsage: Type.Unknown({ description: 'Provider, model, tokens, latency.' }),
    },
    { title: 'Task', description: 'One task of an execution, or one item of it.' },
  ),
);

const executionFields = {
  id: id(),
  workflowId: Type.String(),
  revision: Type.Integer(),
  status: words(EXECUTION_STATUSES),
  output: Type.Unknown({ description: 'What it ended with.' }),
  error,
  completedWithErrors: Type.Boolean({ description: 'Some failure was caught or optional.' }),
  costUsd: cost,
  durationMs: nullable('integer'),
  triggerType: words(TRIGGER_TYPES),
  createdAt: instant(),
  startedAt: nullableInstant('When a worker opened it.'),
  completedAt: nullableInstant('When it ended.'),
};

export const ExecutionSchema = Type.Unsafe<ExecutionView>(
  Type.Object(executionFields, { title: 'Execution', description: 'One execution, without its tasks.' }),
);

export const ExecutionDetailSchema = Type.Object(
  {
    ...executionFields,
    priority: Type.Integer({ minimum: 1, maximum: 10 }),
    runAt: nullableInstant('Before then it is not opened; null: at once.'),
    pausedAt: nullableInstant('Since when it is paused.'),
    createdBy: nullable('string', { description: 'Who started it.' }),
    input: Type.Unknown(),
    metadata: Type.Unknown(),
    leftOut: Type.Array(words(EXECUTION_PARTS), {
      description:
        'Parts that are null here since they would make the answer larger than 8 MB: GET /v1/executions/{id}/parts/{part} gives each.',
    }),
  },
  { title: 'ExecutionDetail', description: 'One execution with what was asked for.' },
);

export const RunSchema = Type.Object(
  { ...executionFields, tasks: Type.Array(TaskSchema) },
  { title: 'Run', description: 'A finished execution with its tasks, as `dagwright run --json` prints it.' },
);

export const StartedSchema = Type.Object(
  { id: id('Of the execution.'), status: words(EXECUTION_STATUSES) },
  { title: 'ExecutionStatus', description: 'An execution and where it stands.' },
);

export const LogLineSchema = Type.Object(
  {
    id: id(),
    at: instant(),
    level: words(LOG_LINE_LEVELS),
    taskId: nullable('string', { description: 'Null: the execution itself.' }),
    mapIndex: nullable('integer'),
    attempt: nullable('integer'),
    message: Type.String(),
    fields: nullOr(anyObject('By name.'), 'What else the line tells.'),
  },
  { title: 'LogLine', description: 'One line of a log.' },
);
