// POST /v1/executions/{id}/signals/{name}.
import { Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import { MAX_DEDUPE_KEY, MAX_SIGNAL_BYTES, SIGNAL_NAME, SIGNAL_STATUSES } from '../../core/signal.ts';
import { signalExecution } from '../../resources/signals.ts';
import { IdParams } from '../request/id-params.ts';
import { answerOnce } from '../request/once.ts';
import { id, words } from '../schemas/parts.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };

const SignalParams = Type.Object(
  {
    ...IdParams.properties,
    name: Type.String({ description: `Name of the signal: ${SIGNAL_NAME.expected}.` }),
  },
  closed,
);

const SignalBody = Type.Object(
  {
    payload: Type.Optional(
      Type.Unknown({ description: `Any JSON, up to ${MAX_SIGNAL_BYTES} bytes. Default null.` }),
    ),
    dedupeKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_DEDUPE_KEY,
        description: 'The same key of the same sender, for the same execution, sends nothing again.',
      }),
    ),
    broadcast: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'To all that wait for it now, not to the oldest that takes it alone.',
      }),
    ),
  },
  closed,
);

const SentSchema = Type.Object(
  {
    id: id('Of the execution.'),
    signal: Type.String(),
    status: words(
      SIGNAL_STATUSES,
      '`stored`: no task waits for it yet, or the condition of one has to be asked; `duplicate`: it was sent before.',
    ),
  },
  { title: 'SentSignal' },
);

export function addSignalRoutes(api: Api, service: ApiContext): void {
  api.post(
    '/v1/executions/:id/signals/:name',
    {
      config: { access: 'executions:write' },
      schema: {
        tags: ['executions'],
        operationId: 'signalExecution',
        summary: 'Send a signal to an execution',
        description:
          'Ends the oldest `wait` with this `signal` whose `when` lets it in. One that comes before its wait is kept for it: 30 days, and 1000 of one name. ' +
          '409: the execution has ended, or keeps so many already. From SQL: `dagwright.signal_execution`.',
        params: SignalParams,
        body: SignalBody,
        response: { 200: SentSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => {
        const { payload, ...given } = request.body ?? {};
        const signal = { ...request.params, ...given, payload: payload as Json | undefined };
        return { status: 200, body: outcomeToHttp(await signalExecution(client, request.acting, signal)) };
      }),
  );
}
