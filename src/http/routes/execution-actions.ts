// POST /v1/executions/{id}/cancel, pause, resume.
import { Type } from 'typebox';
import type { ExecutionStatus } from '../../core/status.ts';
import { cancelExecution, pauseExecution, resumeExecution } from '../../db/executions/executions.ts';
import { IdParams } from '../request/id-params.ts';
import { StartedSchema } from '../schemas/executions.ts';
import type { Api } from '../server/api.ts';
import { ApiError, notFound } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

interface Action {
  readonly summary: string;
  readonly description: string;
  /** Statuses afterwards; another is that of an execution that had ended. */
  readonly wanted: readonly ExecutionStatus[];
}

const ACTIONS = {
  cancel: {
    summary: 'Cancel an execution',
    description:
      'Nothing of it starts once this is answered; calls in flight are aborted within seconds. One that is cancelled already stays so.',
    wanted: ['cancelled'],
  },
  pause: {
    summary: 'Pause an execution',
    description: 'What runs may end; nothing else begins. Timers and time limits stand still.',
    wanted: ['paused'],
  },
  resume: {
    summary: 'Resume an execution',
    description: 'One that is not paused stays as it is.',
    wanted: ['running', 'pending'],
  },
} as const satisfies Record<string, Action>;

const CancelBody = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ maxLength: 1_000, description: 'Becomes the message of its error.' }),
    ),
  },
  { additionalProperties: false },
);

export function addExecutionActionRoutes(api: Api, { database }: Service): void {
  for (const name of Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]) {
    const { wanted, ...texts }: Action = ACTIONS[name];
    api.post(
      `/v1/executions/:id/${name}`,
      {
        config: { access: 'executions:write' },
        schema: {
          ...texts,
          tags: ['executions'],
          operationId: `${name}Execution`,
          params: IdParams,
          ...(name === 'cancel' ? { body: CancelBody } : {}),
          response: { 200: StartedSchema },
        },
      },
      async (request) => {
        const { acting } = request;
        const { id } = request.params;
        const { reason } = (request.body ?? {}) as { readonly reason?: string };
        const act = {
          cancel: () => cancelExecution(database, acting, id, reason),
          pause: () => pauseExecution(database, acting, id),
          resume: () => resumeExecution(database, acting, id),
        }[name];
        const status = await act();
        if (status === null) throw notFound('execution');
        if (wanted.includes(status)) return { id, status };
        throw new ApiError(409, 'already_ended', `the execution had already ended: ${status}`, {
          errors: [{ pointer: '/status', code: status, message: `it is ${status}` }],
        });
      },
    );
  }
}
