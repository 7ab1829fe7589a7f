// POST /v1/callbacks/{token}: the answer of an outside service to a call that it was given a callback URL with. The token is
// the right to answer; nothing of it is logged, and only its SHA-256 is looked for.
import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { type Json, toStorableJson } from '../../core/json.ts';
import { giveAnswer } from '../../db/protocol/answers.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { ApiError, notFound, unprocessable } from '../server/problem.ts';

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

const KINDS = ['output', 'error', 'heartbeat'] as const;

export function addCallbackRoutes(api: Api, { database }: ApiContext): void {
  api.post(
    '/v1/callbacks/:token',
    {
      config: { access: 'public', needsBody: true, refuses: [410] },
      schema: {
        tags: ['callbacks'],
        operationId: 'answerCallback',
        summary: 'Answer a call later',
        description:
          'Takes one of `output`, `error` or `heartbeat`. The first answer counts: a repeated one is answered 200 with `already_completed` and changes nothing. ' +
          '404: no such token; 410: its task has ended or timed out.',
        params: Type.Object({ token: Type.String({ maxLength: 500 }) }),
        body: CallbackBody,
        response: {
          200: Type.Object({ status: Type.String({ enum: ['accepted', 'already_completed'] }) }),
        },
      },
    },
    async (request) => {
      const { body } = request;
      const given = KINDS.filter((kind) => body[kind] !== undefined);
      const [kind] = given;
      if (kind === undefined || given.length > 1)
        throw unprocessable([
          {
            pointer: '',
            code: 'validation',
            message: 'must have one of output, error and heartbeat',
            hint: '{ "output": … }, { "error": { "code": …, "message": … } } or { "heartbeat": true }',
          },
        ]);
      const value = kind === 'heartbeat' ? null : (body[kind] as Json);
      const stored = toStorableJson(value);
      if (!stored.ok) {
        const problem = { pointer: `/${kind}`, code: stored.code, message: `${kind} ${stored.message}` };
        if (stored.code !== 'payload_too_large') throw unprocessable([problem]);
        throw new ApiError(413, stored.code, problem.message, { errors: [problem] });
      }
      const key = createHash('sha256').update(request.params.token).digest();
      const status = await database.inShare('callbacks', () =>
        giveAnswer(database.engine, { kind: 'callback', key }, kind, stored.json),
      );
      if (status === null) throw notFound('callback');
      if (status === 'expired')
        throw new ApiError(410, 'expired', 'the task that waited for it has ended or timed out');
      return { status };
    },
  );
}
