// GET /v1/stats: a tenant's executions in numbers.
import { findStats } from '../../db/executions/stats.ts';
import { StatsSchema } from '../schemas/stats.ts';
import type { Api } from '../server/api.ts';
import type { ApiContext } from '../server/api-context.ts';

export function addStatsRoutes(api: Api, { database }: ApiContext): void {
  api.get(
    '/v1/stats',
    {
      config: { access: 'stats:read' },
      schema: {
        tags: ['stats'],
        operationId: 'getStats',
        summary: 'What runs, waits, failed and costs',
        description:
          'Executions created in the last 24 hours by status, all that are open, ready tasks, costs of what was created today and this month (UTC), and the 20 busiest workflows of the last 24 hours. ' +
          'It looks at the newest 200,000 executions of the month; `isComplete` is false where there were more.',
        response: { 200: StatsSchema },
      },
    },
    (request) => findStats(database, request.acting),
  );
}
