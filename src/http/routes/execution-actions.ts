// POST /v1/executions/{id}/cancel, pause, resume.
import { Type } from 'typebox';
import {
  cancelExecution,
  MAX_CANCEL_REASON,
  pauseExecution,
  resumeExecution,
} from '../../resources/executions.ts';
import { IdParams } from '../request/id-params.ts';
import { StartedSchema } from '../schemas/executions.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const ACTIONS = {
  cancel: {
    act: cancelExecution,
    summary: 'Cancel an execution',
    description:
      'Nothing of it starts once this is answered; calls in flight are aborted within seconds. One that is cancelled already stays so.',
  },
  pause: {
    act: pauseExecution,
    summary: 'Pause an execution',
    description: 'What runs may end; nothing else begins. Timers and time limits stand still.',
  },
  resume: {
    act: resumeExecution,
    summary: 'Resume an execution',
    description: 'One that is not paused stays as it is.',
  },
} as const;

const CancelBody = Type.Object(
  {
    reason: Type.Optional(
      Type.String({ maxLength: MAX_CANCEL_REASON, description: 'Becomes the message of its error.' }),
    ),
  },
  { additionalProperties: false },
);

export function addExecutionActionRoutes(api: Api, { database }: ApiContext): void {
  for (const name of Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]) {
    const { act, ...texts } = ACTIONS[name];
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
      async ({ acting, params, body }) => {
        const { reason } = (body ?? {}) as { readonly reason?: string };
        return outcomeToHttp(
          await database.withTenant(acting, (client) => act(client, acting, { id: params.id, reason })),
        );
      },
    );
  }
}
