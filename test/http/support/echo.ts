// Routes that exist in tests only: one that echoes what was read and validated, one that fails as it is told.
import { Type } from 'typebox';
import type { Api } from '../../../src/http/server/api.ts';

const Body = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 600_000 }),
    count: Type.Optional(Type.Integer({ minimum: 0 })),
    isOn: Type.Optional(Type.Boolean()),
    tags: Type.Optional(Type.Array(Type.String())),
    any: Type.Optional(Type.Unknown()),
  },
  { additionalProperties: false },
);
const Query = Type.Object(
  {
    n: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    isOn: Type.Optional(Type.Boolean()),
    tag: Type.Optional(Type.Array(Type.String(), { maxItems: 3 })),
  },
  { additionalProperties: false },
);

export const ECHO = '/v1/stats/echo';
export const FAIL = '/v1/stats/fail';

/** `fail` throws what it returns. */
export function addEchoRoutes(fail: () => unknown = () => new Error('no failure was set')) {
  return (api: Api): void => {
    api.post(ECHO, { config: { access: 'stats:write' }, schema: { body: Body } }, (request) => ({
      body: request.body,
    }));
    api.get(ECHO, { config: { access: 'stats:read' }, schema: { querystring: Query } }, (request) => ({
      query: request.query,
    }));
    api.get(
      `${ECHO}/:id`,
      {
        config: { access: 'stats:read' },
        schema: {
          params: Type.Object({ id: Type.String({ format: 'uuid' }) }, { additionalProperties: false }),
        },
      },
      (request) => ({ id: request.params.id }),
    );
    api.put(
      `${ECHO}/document`,
      { config: { access: 'stats:write', body: 'document' } },
      (request) => request.body as object,
    );
    api.post(`${ECHO}/nothing`, { config: { access: 'stats:write' } }, () => ({ done: true }));
    api.get(FAIL, { config: { access: 'stats:read' } }, () => {
      throw fail();
    });
  };
}
