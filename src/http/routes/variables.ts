// Variables of a tenant, which definitions read as `variables.<name>`. A change is seen by the next attempt of a task.
import { Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import {
  createVariable,
  deleteVariable,
  findVariable,
  listVariables,
  putVariable,
  VARIABLE_NAME,
  variableProblem,
} from '../../db/resources/variables.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { VariableSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import { ApiError, notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const closed = { additionalProperties: false };
const Name = Type.String({
  pattern: VARIABLE_NAME.source,
  'x-hint': 'letters, digits and "_", not beginning with a digit, at most 100',
  examples: ['region'],
});
const NameParams = Type.Object({ name: Name }, closed);
const value = Type.Unknown({ description: 'Any JSON, up to 256 KB.', examples: ['eu-west-1', 42] });
const description = Type.Optional(
  Type.Union([Type.String({ maxLength: 1000 }), Type.Null()], { description: 'For people.' }),
);
const tags = ['variables'];
const KIND = 'variables';

export function addVariableRoutes(api: Api, service: Service): void {
  const { database } = service;

  api.post(
    '/v1/variables',
    {
      config: { access: 'variables:write' },
      schema: {
        tags,
        summary: 'Create a variable',
        description:
          'Expressions of every workflow of the tenant read it as `variables.<name>`. It is no place for secrets: whoever may read variables or executions sees it.',
        operationId: 'createVariable',
        body: Type.Object({ name: Name, value, description }, closed),
        response: { 201: VariableSchema },
      },
    },
    async (request, reply) =>
      await answerOnce(service, request, reply, async (client) => {
        const { tenantId, actor } = request.acting;
        const change = changeOf(request.body.name, request.body);
        const made = await createVariable(client, tenantId, change, actor);
        if (made === null)
          throw new ApiError(409, 'name_taken', `there is a variable "${change.name}" already`, {
            errors: [
              {
                pointer: '/name',
                code: 'name_taken',
                message: 'there is one already',
                hint: 'PUT changes it',
              },
            ],
          });
        return { status: 201, body: made };
      }),
  );

  api.get(
    '/v1/variables',
    {
      config: { access: 'variables:read' },
      schema: {
        tags,
        summary: 'List variables',
        description: 'By name.',
        operationId: 'listVariables',
        querystring: Type.Object(PageQuery, closed),
        response: { 200: pageOfSchema(VariableSchema) },
      },
    },
    async (request) => {
      const { tenantId } = request.acting;
      const { limit, before: after } = readPage(request, KIND, { key: 'text' });
      const rows = await database.withTenant(request.acting, (client) =>
        listVariables(client, tenantId, { limit: limit + 1, after }),
      );
      return pageOf(KIND, tenantId, rows, limit, ({ name }) => name);
    },
  );

  api.get(
    '/v1/variables/:name',
    {
      config: { access: 'variables:read' },
      schema: {
        tags,
        summary: 'Show a variable',
        operationId: 'getVariable',
        params: NameParams,
        response: { 200: VariableSchema },
      },
    },
    async (request) => {
      const found = await database.withTenant(request.acting, (client) =>
        findVariable(client, request.acting.tenantId, request.params.name),
      );
      if (found === null) throw notFound('variable');
      return found;
    },
  );

  api.put(
    '/v1/variables/:name',
    {
      config: { access: 'variables:write' },
      schema: {
        tags,
        summary: 'Set a variable',
        description:
          'Creates it or changes its value; a description that is not named stays. The next attempt of a task sees the new value.',
        operationId: 'putVariable',
        params: NameParams,
        body: Type.Object({ value, description }, closed),
        response: { 200: VariableSchema, 201: VariableSchema },
      },
    },
    async (request, reply) => {
      const { tenantId, actor } = request.acting;
      const change = changeOf(request.params.name, request.body);
      const { variable, isNew } = await database.withTenant(request.acting, (client) =>
        putVariable(client, tenantId, change, actor),
      );
      return await reply.code(isNew ? 201 : 200).send(variable);
    },
  );

  api.delete(
    '/v1/variables/:name',
    {
      config: { access: 'variables:write' },
      schema: {
        tags,
        summary: 'Delete a variable',
        description: 'Tasks that still need it fail with `missing_path`.',
        operationId: 'deleteVariable',
        params: NameParams,
      },
    },
    async (request, reply) => {
      const isDeleted = await database.withTenant(request.acting, (client) =>
        deleteVariable(client, request.acting.tenantId, request.params.name),
      );
      if (!isDeleted) throw notFound('variable');
      return await reply.code(204).send();
    },
  );
}

function changeOf(
  name: string,
  body: { readonly value: unknown; readonly description?: string | null | undefined },
) {
  const given = body.value as Json;
  const problem = variableProblem(given);
  if (problem !== null)
    throw unprocessable([{ pointer: '/value', code: 'unstorable', message: `the value ${problem}` }]);
  return { name, value: given, description: body.description };
}
