// What models cost. Prices are the installation's: any key may read them, the operator sets them.

import { Type } from 'typebox';
import { type PriceRow, PriceTable } from '../../core/cost/price-table.ts';
import { priceView } from '../../core/cost/price-view.ts';
import { providerName } from '../../core/cost/provider-name.ts';
import { parseUsd } from '../../core/money.ts';
import type { Queryable } from '../../db/connection/connection.ts';
import {
  readPriceStamp,
  readPrices,
  removeOperatorPrices,
  setOperatorPrice,
} from '../../db/resources/pricing.ts';
import { readInstant } from '../request/instant.ts';
import { answerOnceAsOperator } from '../request/once.ts';
import { PageQuery, pageOf, readPage } from '../request/page.ts';
import { pageOfSchema } from '../schemas/parts.ts';
import { PriceSchema } from '../schemas/resources.ts';
import type { Api } from '../server/api.ts';
import { notFound, unprocessable } from '../server/problem.ts';
import type { Service } from '../server/service.ts';

const Rate = (description: string) =>
  Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,30})?$',
    description: `${description}, in US dollars per million tokens, as a decimal string.`,
    examples: ['2.50'],
  });
const Provider = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^/\\s\\u0000]+$',
  examples: ['openai'],
});
const Model = Type.String({
  minLength: 1,
  maxLength: 300,
  pattern: '^[^\\s\\u0000]+$',
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

export function addPricingRoutes(api: Api, service: Service): void {
  const { database } = service;
  const current = createCurrentPrices(database.engine);

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
      const { limit, before } = readPage(request, KIND, { key: 'text' });
      const { provider, model } = request.query;
      const owner = provider === undefined ? undefined : providerName(provider);
      const rows = (await current())
        .filter((row) => owner === undefined || row.provider === owner)
        .filter((row) => model === undefined || row.model === model.toLowerCase())
        .filter((row) => before === null || keyOf(row) > before)
        .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
      const page = pageOf(KIND, request.acting.tenantId, rows.slice(0, limit + 1), limit, keyOf);
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
      const place = { provider: providerName(provider), model: model.toLowerCase() };
      return await answerOnceAsOperator(service, request, reply, async (client) => {
        const from = await setOperatorPrice(client, {
          ...place,
          effectiveFrom: instant === null ? null : new Date(instant),
          rates: {
            input: parseUsd(rates.inputUsdPerMillion),
            output: parseUsd(rates.outputUsdPerMillion),
            ...(rates.cachedInputUsdPerMillion && { cachedInput: parseUsd(rates.cachedInputUsdPerMillion) }),
            ...(rates.cacheWriteUsdPerMillion && { cacheWrite: parseUsd(rates.cacheWriteUsdPerMillion) }),
          },
        });
        const set = (await readPrices(client)).find(
          (row) =>
            row.source === 'operator' &&
            row.provider === place.provider &&
            row.model === place.model &&
            row.effectiveFrom.getTime() === Date.parse(from),
        )!;
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
    async (request, reply) => {
      const { provider, '*': model } = request.params;
      const removed = await database.asEngine(request.actor, (client) =>
        removeOperatorPrices(client, providerName(provider), model.toLowerCase()),
      );
      if (removed === 0) throw notFound(`price of ${provider}/${model}`);
      return reply.status(204).send();
    },
  );
}

// Reading the whole table takes a while; whether it changed does not.
function createCurrentPrices(db: Queryable): () => Promise<readonly PriceRow[]> {
  let known: { readonly stamp: string; readonly prices: PriceTable } | null = null;
  return async () => {
    const stamp = await readPriceStamp(db);
    if (known?.stamp !== stamp) known = { stamp, prices: new PriceTable(await readPrices(db)) };
    return known.prices.current(new Date());
  };
}

const keyOf = ({ provider, model }: PriceRow) => `${provider}/${model}`;
