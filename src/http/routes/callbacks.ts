// POST /v1/callbacks/{token}: the answer of an outside service to a call that it was given a callback URL with. The token is
// the right to answer, and nothing of it is logged.
import { Type } from 'typebox';
import { answerCallback, readAnswer } from '../../resources/answers.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const CallbackBody = Type.Object(
  {
    output: Type.Optional(Type.Unknown({ description: "Becomes the task's output; at most 1 MB." })),
    error: Type.Optional(
      Type.Object(
        {
          code: Type.String({
            pattern: '^[A-Za-z][A-Za-z0-9_.]{0,99}$',
            description: "Of the task's error; `retry` and `on: failure` edges see it.",
            examples: ['out_of_stock'],
          }),
          message: Type.String({ maxLength: 4_000 }),
          details: Type.Optional(Type.Unknown()),
        },
        { additionalProperties: false },
      ),
    ),
    heartbeat: Type.Optional(
      Type.Literal(true, { description: 'The answer is still coming: postpones `heartbeatSeconds`.' }),
    ),
  },
  { additionalProperties: false },
);

export function addCallbackRoutes(api: Api, { database }: ApiContext): void {
  api.post(
    '/v1/callbacks/:token',
    {
      config: {
        access: 'public',
        needsBody: true,
        refuses: [410],
        provesItself: true,
        keepsLongNumbers: true,
      },
      schema: {
        tags: ['callbacks'],
        operationId: 'answerCallback',
        summary: 'Answer a call later',
        description:
          'Takes one of `output`, `error` or `heartbeat`. The first answer counts: a repeated one is answered 200 with `already_completed` and changes nothing. ' +
          '404: no such token; 410: its task has ended or timed out. ' +
          'Numbers beyond 2^53 are kept exactly, as texts; a warning in the log of the task says where.',
        params: Type.Object({ token: Type.String({ maxLength: 500 }) }),
        body: CallbackBody,
        response: {
          200: Type.Object({ status: Type.String({ enum: ['accepted', 'already_completed'] }) }),
        },
      },
    },
    async ({ params, body, address, headers, longNumbers }) => {
      const warning = longNumbers.warning('the callback');
      const answer = { ...outcomeToHttp(readAnswer(body)), warning };
      const from = { address, userAgent: headers['user-agent'] };
      return outcomeToHttp(
        await database.inShare('callbacks', () =>
          answerCallback(database.engine, from, params.token, answer),
        ),
      );
    },
  );
}
