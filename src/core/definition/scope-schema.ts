// What each name of the scope (CONTRACT 2.2) is known to hold, as JSON Schema, and where it may be read.
import type { Json, JsonObject } from '../json.ts';
import type { Read } from './task-check.ts';

const closed = (...names: string[]): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, {}])),
  additionalProperties: false,
});

const TRIGGER = closed('type', 'at', 'by', 'body', 'headers', 'query', 'method', 'scheduledAt');
const EXECUTION = closed('id', 'workflowId', 'revision', 'tenantId', 'triggerType', 'startedAt', 'status');
const TASK_FIELDS = ['id', 'attempt', 'idempotencyKey', 'input'];
const LATER_TASK_FIELDS = ['callbackUrl', 'callbackToken', 'reviewUrl'];

/** Fields of `tasks.<id>`. `output` and `errors` may be given a schema. */
export const TASK_RESULT_FIELDS = [
  'status',
  'output',
  'error',
  'errors',
  'branch',
  'winner',
  'costUsd',
  'durationMs',
];
/** Those that only a task that completed has. */
export const NEEDS_COMPLETION: ReadonlySet<string> = new Set(['output', 'branch', 'winner']);

export interface ScopeSchemas {
  readonly input: Json | null;
  readonly taskInput: Json | null;
  readonly rawOutput: Json | null;
}

/** The schema of a root, or null where nothing is known. `tasks` is checked apart. */
export function scopeSchema(root: string, schemas: ScopeSchemas): Json | null {
  switch (root) {
    case 'input':
      return schemas.input;
    case 'output':
      return schemas.rawOutput;
    case 'trigger':
      return TRIGGER;
    case 'execution':
      return EXECUTION;
    case 'failures':
      return { type: 'array' };
    case 'index':
      return { type: 'integer' };
    case 'task': {
      const known = closed(...TASK_FIELDS).properties as JsonObject;
      return {
        type: 'object',
        properties: { ...known, input: schemas.taskInput ?? {} },
        additionalProperties: false,
      };
    }
    default:
      return null;
  }
}

/** Why a read is out of place, or null. */
export function misplacedRead({
  reference,
  where,
  task,
  hasItem,
}: Read): { code: string; message: string } | null {
  const { root, path } = reference;
  const outOfScope = (message: string) => ({ code: 'out_of_scope', message });
  const notSupported = (what: string) => ({
    code: 'not_supported',
    message: `${what} not supported in this release`,
  });
  switch (root) {
    case 'item':
    case 'index':
      return hasItem ? null : outOfScope(`"${root}" exists only in the task of a parallel over items`);
    case 'output':
      return where === 'outputMapping' ? null : outOfScope('"output" exists only in outputMapping');
    case 'task':
      if (task === null) return outOfScope('"task" exists only inside a task');
      return LATER_TASK_FIELDS.includes(String(path[0])) ? notSupported(`task.${String(path[0])} is`) : null;
    case 'loop':
    case 'variables':
    case 'secrets':
      return notSupported(`"${root}" is`);
    default:
      return null;
  }
}
