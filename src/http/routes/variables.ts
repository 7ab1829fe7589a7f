// Variables of a tenant, which definitions read as `variables.<name>`. A change is seen by the next attempt of a task.
import { Type } from 'typebox';
import type { Json } from '../../core/json.ts';
import {
  checkValue,
  createVariable,
  deleteVariable,
  listVariables,
  MAX_DESCRIPTION,
  setVariable,
  showVariable,
  VARIABLE_NAME,
} from '../../resources/variables.ts';
import { answerOnce } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema, textOf } from '../schemas/parts.ts';
import { VariableSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';

const closed = { additionalProperties: false };
const Name = textOf(VARIABLE_NAME, { examples: ['region'] });
const NameParams = Type.Object({ name: Name }, closed);
const value = Type.Unknown({ description: 'Any JSON, up to 256 KB.', examples: ['eu-west-1', 42] });
const description = Type.Optional(
  Type.Union([Type.String({ maxLength: MAX_DESCRIPTION }), Type.Null()], { description: 'For people.' }),
);
const tags = ['variables'];
const KIND = 'variables';

export function addVariableRoutes(api: Api, service: ApiContext): void {
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
        const { name, description } = request.body;
        const given = { name, value: request.body.value as Json, description };
        const made = outcomeToHttp(await createVariable(client, request.acting, given));
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
      const { acting } = request;
      const { limit, before: after } = readPage(request, KIND, { key: 'text' });
      const page = await database.withTenant(acting, (client) =>
        listVariables(client, acting, { limit, after }),
      );
      return pageOfBounded(KIND, acting.tenantId, page, ({ name }) => name);
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
    async (request) =>
      outcomeToHttp(
        await database.withTenant(request.acting, (client) =>
          showVariable(client, request.acting, request.params.name),
        ),
      ),
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
      const { acting, params, body } = request;
      const given = { name: params.name, value: body.value as Json, description: body.description };
      const refusal = checkValue(given.value);
      if (refusal !== null) return outcomeToHttp(refusal);
      const { variable, isNew } = outcomeToHttp(
        await database.withTenant(acting, (client) => setVariable(client, acting, given)),
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
      outcomeToHttp(
        await database.withTenant(request.acting, (client) =>
          deleteVariable(client, request.acting, request.params.name),
        ),
      );
      return await reply.code(204).send();
    },
  );
}
