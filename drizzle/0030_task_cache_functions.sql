-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/housekeeping.sql
-- Deletes what the service keeps for a time only, at most `most` rows of each table in one commit: first answers to repeated
-- requests after 24 hours, signals after 30 days, outputs of tasks with a cache that have expired; with `days` > 0 also ticks, webhook
-- events and processed events that are older than that. The ticks of a schedule's last execution stay: overlap is judged by them.
-- Returns the deleted rows by table.
create or replace function dagwright.housekeeping_v1(days float8, most int) returns jsonb
language plpgsql set enable_seqscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  cutoff constant timestamptz := now_ - days * interval '1 day';
  before constant uuid := dagwright.first_id_v1(cutoff);
  answers bigint;
  outputs bigint;
  ticks bigint := 0;
  deliveries bigint := 0;
  occurrences bigint := 0;
  signals bigint := 0;
begin
  if not pg_try_advisory_xact_lock(1148, 1) then return '{}'; end if;
  delete from dagwright.idempotent_requests where ctid = any(array(
    select ctid from dagwright.idempotent_requests where created_at < now_ - interval '24 hours' limit most));
  get diagnostics answers = row_count;
  delete from dagwright.execution_signals where ctid = any(array(
    select s.ctid from dagwright.execution_signals s where s.created_at < now_ - interval '30 days' order by s.created_at limit most));
  get diagnostics signals = row_count;
  delete from dagwright.task_cache where ctid = any(array(
    select ctid from dagwright.task_cache where expires_at < now_ order by expires_at limit most));
  get diagnostics outputs = row_count;
  if days > 0 then
    delete from dagwright.schedule_ticks where ctid = any(array(
      select t.ctid from dagwright.schedules s
      cross join lateral (select k.ctid, k.status, k.workflow_execution_id, k.decided_at from dagwright.schedule_ticks k
        where k.tenant_id = s.tenant_id and k.schedule_id = s.id and k.scheduled_at < cutoff order by k.scheduled_at limit most) t
      where t.status <> 'buffered' and t.decided_at < cutoff and not exists (select from dagwright.workflow_executions o
        where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      limit most));
    get diagnostics ticks = row_count;
    delete from dagwright.webhook_events where ctid = any(array(
      select e.ctid from dagwright.webhooks w
      cross join lateral (select v.ctid from dagwright.webhook_events v
        where v.tenant_id = w.tenant_id and v.webhook_id = w.id and v.id < before order by v.id limit most) e
      limit most));
    get diagnostics deliveries = row_count;
    delete from dagwright.events where ctid = any(array(
      select ctid from dagwright.events where id < before and processed_at < cutoff order by id limit most));
    get diagnostics occurrences = row_count;
  end if;
  return (select coalesce(jsonb_object_agg(t.name, t.n), '{}') from (values ('idempotent_requests', answers), ('task_cache', outputs), ('schedule_ticks', ticks),
    ('webhook_events', deliveries), ('events', occurrences),
    ('execution_signals', signals)) t(name, n) where t.n > 0);
end $$;

-- src/db/functions/views-cost.sql
-- A count in what a task says of its use; authors write it too, so that anything may stand there: null where it is no count.
create or replace function dagwright.count_of_v1(usage jsonb, name text) returns bigint language sql immutable as $$
  select case when jsonb_typeof(usage->name) = 'number' and (usage->>name)::numeric between 0 and 9007199254740991
    then trunc((usage->>name)::numeric)::bigint end
$$;

-- Likewise an amount in US dollars.
create or replace function dagwright.usd_of_v1(usage jsonb, name text) returns numeric language sql immutable as $$
  select case when (usage->>name) ~ '^\d{1,30}(\.\d{1,60})?$' then (usage->>name)::numeric end
$$;

-- Everything that was spent: one row per model call that is known by itself, one per attempt for the rest. A task's cost is the
-- sum over its attempts, so the attempt that its own row stands for has cost what the kept ones have not. The rows of an
-- execution add up to its actual_cost_usd. cost_usd null: no price is known. call: its place in the attempt (of the latest 50),
-- null for the rest. What is no model's has neither provider nor model.
create or replace view dagwright.v_costs with (security_invoker = true) as
  with attempts as not materialized (
    select a.tenant_id, a.workflow_execution_id, a.task_id, a.map_index, a.attempt_number, a.completed_at as at,
      a.error->>'code' as error_code, a.cost_usd, a.resource_usage as usage
    from dagwright.task_attempts a
    union all
    select t.tenant_id, t.workflow_execution_id, t.task_id, t.map_index, t.attempt_number,
      coalesce(t.completed_at, t.started_at), null, t.cost_usd - coalesce(kept.cost_usd, 0),
      -- A row keeps the usage of its last attempt until another brings its own; what is kept in task_attempts is not counted again.
      case when kept.is_last then null
        when t.status = 'completed' and (t.cost_usd <> coalesce(kept.cost_usd, 0) or t.resource_usage is distinct from kept.usage)
          then t.resource_usage
        when t.spent_fence is not null and not coalesce(kept.has_spent, false) then t.spent_usage
        when kept.is_last is null then t.resource_usage
      end
    from dagwright.task_executions t
    cross join lateral (
      select sum(a.cost_usd) as cost_usd, bool_or(a.fence = t.fence) as is_last, bool_or(a.fence = t.spent_fence) as has_spent,
        (array_agg(a.resource_usage order by a.fence desc))[1] as usage
      from dagwright.task_attempts a
      where a.workflow_execution_id = t.workflow_execution_id and a.task_id = t.task_id and a.map_index = t.map_index) kept
    where t.attempt_number > 0 or t.cost_usd is distinct from 0
  ), spendings as (
    select a.*, c.ordinality as call, c.value as spent, dagwright.usd_of_v1(c.value, 'costUsd') as spent_usd
    from attempts a, jsonb_array_elements(case jsonb_typeof(a.usage->'calls') when 'array' then a.usage->'calls' end) with ordinality c
    union all
    select a.*, null, a.usage || jsonb_build_object(
        'inputTokens', dagwright.count_of_v1(a.usage, 'inputTokens') - listed.input, 'cachedInputTokens', dagwright.count_of_v1(a.usage, 'cachedInputTokens') - listed.cached,
        'cacheWriteTokens', dagwright.count_of_v1(a.usage, 'cacheWriteTokens') - listed.written, 'outputTokens', dagwright.count_of_v1(a.usage, 'outputTokens') - listed.output,
        'reasoningTokens', dagwright.count_of_v1(a.usage, 'reasoningTokens') - listed.reasoning),
      a.cost_usd - listed.cost_usd
    from attempts a
    cross join lateral (
      select coalesce(sum(dagwright.usd_of_v1(c, 'costUsd')), 0) as cost_usd, count(*) as calls, coalesce(sum(dagwright.count_of_v1(c, 'inputTokens')), 0)::bigint as input,
        coalesce(sum(dagwright.count_of_v1(c, 'cachedInputTokens')), 0)::bigint as cached, coalesce(sum(dagwright.count_of_v1(c, 'cacheWriteTokens')), 0)::bigint as written,
        coalesce(sum(dagwright.count_of_v1(c, 'outputTokens')), 0)::bigint as output, coalesce(sum(dagwright.count_of_v1(c, 'reasoningTokens')), 0)::bigint as reasoning
      from jsonb_array_elements(case jsonb_typeof(a.usage->'calls') when 'array' then a.usage->'calls' end) c) listed
    where case when listed.calls = 0 then a.usage->>'provider' is not null or a.cost_usd is distinct from 0
      else a.cost_usd <> listed.cost_usd or dagwright.count_of_v1(a.usage, 'inputTokens') > listed.input or dagwright.count_of_v1(a.usage, 'outputTokens') > listed.output end
  )
  select s.tenant_id, o.workflow_id, s.workflow_execution_id as execution_id, s.task_id, nullif(s.map_index, -1) as map_index,
    s.attempt_number, s.call, coalesce(s.at, o.created_at) as at, s.error_code, s.spent->>'provider' as provider, s.spent->>'model' as model,
    coalesce(s.spent->'simulated' = 'true' or s.spent->>'provider' = 'simulated', false) as simulated,
    coalesce(dagwright.count_of_v1(s.spent, 'inputTokens'), 0) as input_tokens, coalesce(dagwright.count_of_v1(s.spent, 'cachedInputTokens'), 0) as cached_input_tokens,
    coalesce(dagwright.count_of_v1(s.spent, 'cacheWriteTokens'), 0) as cache_write_tokens, coalesce(dagwright.count_of_v1(s.spent, 'outputTokens'), 0) as output_tokens,
    coalesce(dagwright.count_of_v1(s.spent, 'reasoningTokens'), 0) as reasoning_tokens, dagwright.count_of_v1(s.spent, 'latencyMs') as latency_ms, s.spent_usd as cost_usd
  from spendings s join dagwright.workflow_executions o on o.id = s.workflow_execution_id;

-- Use of models: v_costs without what is no model's.
create or replace view dagwright.ai_usage_log with (security_invoker = true) as
  select * from dagwright.v_costs where provider is not null;

-- What a day (UTC) cost, by workflow and model; rows without provider: what was no model's. cost_unknown: some of it has no
-- known price, so that cost_usd is a lower bound. executions and tasks: how many took part.
create or replace view dagwright.v_cost_daily with (security_invoker = true) as
  select tenant_id, (at at time zone 'UTC')::date as day, workflow_id, provider, model, bool_or(simulated) as simulated,
    count(distinct execution_id) as executions, count(distinct (execution_id, task_id, map_index)) as tasks,
    sum(input_tokens)::bigint as input_tokens, sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens, sum(output_tokens)::bigint as output_tokens,
    coalesce(sum(cost_usd), 0) as cost_usd, bool_or(cost_usd is null) as cost_unknown
  from dagwright.v_costs group by 1, 2, 3, 4, 5;

-- How each task of a workflow does: its terminal runs (skipped ones not counted), or those of its items (is_item). Durations
-- are of all attempts together, without waiting; queued: from ready to started. wasted: what those that failed or were cancelled
-- had cost, losers of a race among them; saved: what hits of a cache would have cost.
create or replace view dagwright.v_task_stats with (security_invoker = true) as
  select o.tenant_id, o.workflow_id, t.task_id, t.task_type, t.map_index >= 0 as is_item, count(*) as runs,
    count(*) filter (where t.status = 'failed') as failures, count(*) filter (where t.attempt_number > 1) as retried,
    percentile_disc(0.5) within group (order by t.duration_ms) as p50_duration_ms,
    percentile_disc(0.95) within group (order by t.duration_ms) as p95_duration_ms,
    percentile_disc(0.5) within group (order by t.queued_ms) as p50_queued_ms,
    percentile_disc(0.95) within group (order by t.queued_ms) as p95_queued_ms,
    coalesce(sum(t.cost_usd), 0) as cost_usd, bool_or(t.cost_usd is null) as cost_unknown,
    coalesce(sum(t.cost_usd) filter (where t.status <> 'completed'), 0) as wasted_usd,
    count(*) filter (where t.resource_usage->'cache'->'hit' = 'true') as cache_hits,
    coalesce(sum(dagwright.usd_of_v1(t.resource_usage->'cache', 'savedUsd')) filter (where t.resource_usage->'cache'->'hit' = 'true'), 0) as saved_usd
  from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
  where t.status in ('completed', 'failed', 'cancelled') group by 1, 2, 3, 4, 5;

grant select on dagwright.v_costs, dagwright.ai_usage_log, dagwright.v_cost_daily, dagwright.v_task_stats
  to dagwright_engine, dagwright_tenant;
