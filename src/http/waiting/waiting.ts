// What those share who wait in this process for executions to end: starts, event streams, senders of webhooks.
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ExecutionWatch } from './execution-watch.ts';
import { OpenAnswers } from './open-answers.ts';

export interface Waiting {
  readonly watch: ExecutionWatch;
  /** How many wait, by tenant. */
  readonly openAnswers: OpenAnswers;
}

export function openWaiting(api: Api, service: ApiContext): Waiting {
  const watch = new ExecutionWatch({ pool: service.database.engine, log: service.log });
  const stop = service.onExecutionEnded?.((id) => watch.notice(id));
  api.addHook('onClose', async () => {
    stop?.();
    watch.close();
  });
  return { watch, openAnswers: new OpenAnswers() };
}
