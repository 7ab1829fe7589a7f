// `notify` of a human_review (LANGUAGE H5): a task that tells people that they are asked, at the opening, before it is due, and when
// others are asked in their place; once for each person who is named. Whatever becomes of it, the review stays open.
import type { NodeDefinition } from '../core/definition/model.ts';
import type { Mapping } from '../core/expression/mapping.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ReviewState, readAssignee } from '../core/review.ts';
import { readField } from './compile-config.ts';
import { MissingTypeError, type PreparedTask, type TaskContext, type TaskType } from './task-type.ts';
import { contextWithin } from './task-within.ts';

/** It must not end the attempt by its time-out. */
const MAX_MS = 60_000;
const SHARE_OF_TIMEOUT = 0.5;
const DEFAULT_TIMEOUT_SECONDS = 300;

export interface Notice {
  readonly mappings: readonly Mapping[];
  /** Tells all whom the review is for, and notes that they are told, or what went wrong. */
  send(context: TaskContext, review: ReviewState): Promise<void>;
}

/** Null: nobody is told. */
export function prepareNotice(node: NodeDefinition, types: ReadonlyMap<string, TaskType>): Notice | null {
  const notify = readField(node, 'notify');
  if (!isJsonObject(notify)) return null;
  const definition = {
    config: {},
    ...notify,
    taskId: node.taskId,
    dependsOn: [],
  } as unknown as NodeDefinition;
  const type = types.get(definition.taskType);
  if (type === undefined) throw new MissingTypeError(node.taskId, definition.taskType, '/config/notify: ');
  const task = type.prepare(definition, types);
  const needsUrl = JSON.stringify(notify).includes('reviewUrl');
  const { timeoutSeconds = DEFAULT_TIMEOUT_SECONDS } = node;
  const timeoutMs = Math.min(MAX_MS, timeoutSeconds * 1000 * SHARE_OF_TIMEOUT);
  return {
    mappings: task.mappings,
    async send(context, review) {
      const people = review.assignees.filter((one) => one.startsWith('user:'));
      const failures: string[] = [];
      for (const [n, person] of (people.length > 0 ? people : [null]).entries()) {
        try {
          await sendOne(task, { context, review, person, ordinal: n + 1, needsUrl, timeoutMs });
        } catch (error) {
          context.signal.throwIfAborted();
          const message = context.outside.redact(error instanceof Error ? error.message : String(error));
          failures.push(`${person ?? 'all'}: ${message}`.slice(0, 1000));
          context.log.error('nobody was told of the review', { review: review.id, person, message });
        }
      }
      await context.noteNotice(review, failures.length === 0 ? null : failures.slice(0, 20));
    },
  };
}

async function sendOne(
  task: PreparedTask,
  of: {
    readonly context: TaskContext;
    readonly review: ReviewState;
    readonly person: string | null;
    readonly ordinal: number;
    readonly needsUrl: boolean;
    readonly timeoutMs: number;
  },
): Promise<void> {
  const { context, review, person, ordinal, needsUrl, timeoutMs } = of;
  const reviewUrl = needsUrl ? await context.openReviewLink(review, person) : null;
  const input: JsonObject = {
    reason: review.notice,
    reviewId: review.id,
    title: review.title,
    assignee: person === null ? null : (readAssignee(person) as unknown as JsonObject),
    dueAt: review.dueAt,
  };
  const inner = contextWithin(context, {
    what: 'a notice',
    input: input as Json,
    // The same person is told once of each opening, reminder and escalation.
    key: `#notify:${review.id}:${review.notice}:${review.escalations}:${person ?? ''}`,
    ordinal,
    addCost: (usd, usage) => context.addCost(usd, usage),
    names: reviewUrl === null ? {} : { reviewUrl },
    signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
  });
  const outcome = await task.run(inner);
  if (outcome.kind !== 'completed') throw new Error(`a notice must complete at once, got "${outcome.kind}"`);
}
