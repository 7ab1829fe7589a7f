// What models cost. Prices are the installation's: any key may read them, the operator sets them.

import { Type } from 'typebox';
import { priceView } from '../../core/cost/price-view.ts';
import {
  type KnownPrices,
  listPrices,
  MODEL,
  PROVIDER,
  pageOfPrices,
  priceKey,
  readPrices,
  removePrices,
  setPrice,
  USD,
} from '../../resources/prices.ts';
import { readInstant } from '../request/instant.ts';
import { answerOnceAsOperator } from '../request/once.ts';
import { PageQuery, pageOfBounded, readPage } from '../request/page.ts';
import { pageOfSchema, textOf } from '../schemas/parts.ts';
import { PriceSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';
import { outcomeToHttp } from '../server/outcome.ts';
import { unprocessable } from '../server/problem.ts';

const Rate = (description: string) =>
  textOf(USD, {
    description: `${description}, in US dollars per million tokens, as a decimal string.`,
    examples: ['2.50'],
  });
const Provider = textOf(PROVIDER, { examples: ['openai'] });
const Model = textOf(MODEL, {
  description: '`*`: all models of the provider.',
  examples: ['gpt-4o'],
});

const PriceBody = Type.Object(
  {
    provider: Provider,
    model: Model,
    inputUsdPerMillion: Rate('Input tokens'),
    outputUsdPerMillion: Rate('Output tokens'),
    cachedInputUsdPerMillion: Type.Optional(Rate('Tokens read from a cache; else as input')),
    cacheWriteUsdPerMillion: Type.Optional(Rate('Tokens written to a cache; else as input')),
    effectiveFrom: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'Absent: always for the first price of a model, from now on for a later one.',
      }),
    ),
  },
  { additionalProperties: false },
);

const tags = ['pricing'];
const KIND = 'pricing';

export function addPricingRoutes(api: Api, service: ApiContext): void {
  const { database } = service;
  // Reading the whole table takes a while; whether it changed does not.
  let known: KnownPrices | null = null;

  api.get(
    '/v1/pricing',
    {
      config: { access: 'pricing:read' },
      schema: {
        tags,
        summary: 'List what models cost now',
        description:
          'The price library, with the prices that the operator has set before it; by provider and model.',
        operationId: 'listPrices',
        querystring: Type.Object(
          { ...PageQuery, provider: Type.Optional(Provider), model: Type.Optional(Model) },
          { additionalProperties: false },
        ),
        response: { 200: pageOfSchema(PriceSchema) },
      },
    },
    async (request) => {
      const { limit, before: after } = readPage(request, KIND, { key: 'text' });
      known = await readPrices(database.engine, known);
      const found = listPrices(known.table, new Date(), request.query);
      const page = pageOfBounded(
        KIND,
        request.acting.tenantId,
        pageOfPrices(found, { limit, after }),
        priceKey,
      );
      return { ...page, items: page.items.map(priceView) };
    },
  );

  api.post(
    '/v1/pricing',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Set your own price of a model',
        description:
          'In place of one from the same instant; holds in place of the price library, for all tenants.',
        operationId: 'setPrice',
        body: PriceBody,
        response: { 201: PriceSchema },
      },
    },
    async (request, reply) => {
      const { provider, model, effectiveFrom, ...rates } = request.body;
      const instant = effectiveFrom === undefined ? null : readInstant(effectiveFrom);
      if (effectiveFrom !== undefined && instant === null)
        throw unprocessable([{ pointer: '/effectiveFrom', code: 'format', message: 'is not an instant' }]);
      const given = {
        provider,
        model,
        effectiveFrom: instant === null ? null : new Date(instant),
        rates: {
          input: rates.inputUsdPerMillion,
          output: rates.outputUsdPerMillion,
          cachedInput: rates.cachedInputUsdPerMillion,
          cacheWrite: rates.cacheWriteUsdPerMillion,
        },
      };
      return await answerOnceAsOperator(service, request, reply, async (client) => {
        const set = outcomeToHttp(await setPrice(client, request.actor, given));
        return { status: 201, body: priceView(set) };
      });
    },
  );

  api.delete(
    '/v1/pricing/:provider/*',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: "Remove the operator's prices of a model",
        description: "The price library's hold again. The model may hold slashes.",
        operationId: 'removePrice',
        params: Type.Object({ provider: Provider, '*': Model }),
      },
    },
    async ({ actor, params }, reply) => {
      const { provider, '*': model } = params;
      outcomeToHttp(
        await database.asEngine(actor, (client) => removePrices(client, actor, { provider, model })),
      );
      return reply.status(204).send();
    },
  );
}
