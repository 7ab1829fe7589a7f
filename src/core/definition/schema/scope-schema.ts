// What each name of the scope (CONTRACT 2.2) is known to hold, as JSON Schema, and where it may be read.
import type { ProblemCode } from '../../codes/code.ts';
import { isJsonObject, type Json, type JsonObject } from '../../json.ts';
import { refusalOf, refusedRead } from '../../not-supported.ts';
import type { Read } from '../checks/task-check.ts';

const closed = (...names: string[]): JsonObject => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, {}])),
  additionalProperties: false,
});

const TRIGGER = closed(
  ...['type', 'at', 'by', 'body', 'headers', 'query', 'method', 'scheduledAt', 'event', 'eventId'],
);
const EXECUTION = closed('id', 'workflowId', 'revision', 'tenantId', 'triggerType', 'startedAt', 'status');
const CALLBACK_FIELDS = ['callbackUrl', 'callbackToken'];
const TASK_FIELDS = ['id', 'attempt', 'idempotencyKey', 'input', 'reviewUrl', ...CALLBACK_FIELDS];

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
    case 'loop':
      return closed('index', 'previous');
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

/** Why a read is out of place, or null. `takesSecrets`: the type of its task reads secrets in its config. */
export function misplacedRead(
  { reference, where, task, hasItem, isNotice = false }: Read,
  takesSecrets: boolean,
): { code: ProblemCode; message: string } | null {
  const { root, path } = reference;
  const outOfScope = (message: string) => ({ code: 'out_of_scope' as const, message });
  const refused = refusedRead(root, path);
  switch (root) {
    case 'item':
    case 'index':
      return hasItem ? null : outOfScope(`"${root}" exists only in the task of a parallel over items`);
    case 'output':
      return where === 'outputMapping' || where === 'repeat'
        ? null
        : outOfScope('"output" exists only in outputMapping and repeat');
    case 'loop':
      if (task?.repeat === undefined) return outOfScope('"loop" exists only in a task with repeat');
      return where === 'condition'
        ? outOfScope('conditionExpression is judged once, before the first round')
        : null;
    case 'task':
      if (task === null) return outOfScope('"task" exists only inside a task');
      if (refused !== null) return refusalOf(refused);
      if (path[0] === 'reviewUrl' && !isNotice)
        return outOfScope('task.reviewUrl exists only in notify of a human_review');
      return CALLBACK_FIELDS.includes(String(path[0])) && !(where === 'config' && hasCallback(task))
        ? outOfScope(`task.${String(path[0])} exists only in the config of an external_api with callback`)
        : null;
    case 'variables':
      return typeof path[0] === 'string'
        ? null
        : outOfScope('a variable is read by its name: variables.NAME');
    case 'secrets':
      if (!takesSecrets || where !== 'config')
        return outOfScope('"secrets" exist only in the config of external_api and model_inference');
      return typeof path[0] === 'string' ? null : outOfScope('a secret is read by its name: secrets.NAME');
    default:
      return refused === null ? null : refusalOf(refused);
  }
}

function hasCallback(task: JsonObject): boolean {
  return task.taskType === 'external_api' && isJsonObject(task.config) && task.config.callback !== undefined;
}
