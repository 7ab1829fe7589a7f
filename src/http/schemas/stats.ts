// A tenant's executions in numbers, as the API shows them (db/executions/stats.ts).
import { Type } from 'typebox';
import { EXECUTION_STATUSES } from '../../core/status.ts';
import { nullable } from './parts.ts';

const usd = (description: string) =>
  Type.String({ description: `US dollars, an exact decimal: ${description}`, examples: ['0.00000213'] });
const count = Type.Integer({ minimum: 0 });

export const StatsSchema = Type.Object(
  {
    last24h: Type.Object(
      Object.fromEntries(EXECUTION_STATUSES.map((status) => [status, Type.Optional(count)])),
      { description: 'Executions created in the last 24 hours, by their status now; absent: none.' },
    ),
    open: Type.Object(
      { pending: count, running: count, paused: count },
      { description: 'Executions that have not ended, whenever they were created.' },
    ),
    queue: Type.Object(
      {
        tasks: count,
        oldestMs: nullable('integer', { description: 'How long the first has been ready; null: none is.' }),
      },
      { description: 'Tasks that are ready for a worker.' },
    ),
    costUsd: Type.Object({
      today: usd('executions created today (UTC), without unknown prices.'),
      month: usd('executions created this month (UTC), without unknown prices.'),
    }),
    workflows: Type.Array(
      Type.Object({
        workflowId: Type.String(),
        executions: count,
        failed: count,
        costUsd: usd('of them all.'),
        p50Ms: nullable('integer', { description: 'Median of those that ended; null: none has.' }),
        p95Ms: nullable('integer', { description: '95th percentile.' }),
      }),
      { description: 'The 20 busiest of the last 24 hours.' },
    ),
    isComplete: Type.Boolean({ description: 'False: only the newest executions were counted.' }),
  },
  { title: 'Stats', description: "A tenant's executions in numbers." },
);
