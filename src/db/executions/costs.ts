// What an execution has cost, by task and model: the view v_costs, where its rows add up to the execution's cost.
import type pg from 'pg';
import type { Spending } from '../../core/cost/breakdown.ts';

/** What each task (its items and failed attempts included) has spent on each model. */
export async function findCosts(
  client: pg.ClientBase,
  tenantId: string,
  executionId: string,
): Promise<Spending[]> {
  const { rows } = await client.query<Spending>(
    `select task_id as "taskId", provider, model, bool_or(simulated) as "isSimulated",
         count(*) filter (where provider is not null) as calls, sum(input_tokens)::bigint as "inputTokens",
         sum(output_tokens)::bigint as "outputTokens", trim_scale(coalesce(sum(cost_usd), 0))::text as "costUsd",
         bool_or(cost_usd is null) as "isUnknown",
         trim_scale(coalesce(sum(cost_usd) filter (where error_code is not null), 0))::text as "failedCostUsd"
       from dagwright.v_costs where tenant_id = $1 and execution_id = $2
       group by task_id, provider, model order by task_id, provider, model`,
    [tenantId, executionId],
  );
  return rows;
}
