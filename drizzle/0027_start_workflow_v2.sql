-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/start-workflow.sql
-- Starts for other services, in their own transactions.

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow. input: at most 1,000,000
-- bytes, metadata 16,000, idempotency_key 500.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return dagwright.start_workflow_v2(workflow_id, input, idempotency_key, priority, metadata);
end $$;

-- The same, not opened before run_at (null, or a time that is over: at once), and under a revision (null: the one that starts take now).
-- A function of its own: with more arguments of the same name, calls without them would mean either.
create or replace function dagwright.start_workflow_v2(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null, run_at timestamptz default null, revision int default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  if octet_length(input::text) > 1000000 then perform dagwright.refuse_size_v1('the input', 1000000); end if;
  if octet_length(metadata::text) > 16000 then perform dagwright.refuse_size_v1('the metadata', 16000); end if;
  if octet_length(idempotency_key) > 500 then
    raise exception 'an idempotency_key has at most 500 bytes' using errcode = '22023', hint = 'a hash of what names the start: md5(…)';
  end if;
  if not isfinite(run_at) then
    raise exception 'run_at must be a time, got %', run_at using errcode = '22023', hint = 'null starts it at once';
  end if;
  if revision < 1 then
    raise exception 'revision must be 1 or more, got %', revision using errcode = '22023', hint = 'null takes the one that starts take now';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor(), 'runAt', run_at, 'revision', revision))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' and revision is not null then
    raise exception 'workflow "%" with revision % does not exist in this tenant', left(workflow_id, 200), revision using errcode = 'P0002',
      hint = 'its revisions: dagwright workflows revisions ID';
  elsif started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', left(workflow_id, 200) using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem = 'tenant_suspended' then
    raise exception 'the tenant does not exist, or is suspended' using errcode = '55000', hint = 'dagwright tenants list; dagwright tenants update NAME --status active';
  elsif started.problem = 'tier_too_low' then
    raise exception 'workflow "%" needs a tenant of a higher tier', workflow_id using errcode = '55000', hint = 'see minTier of its definition';
  elsif started.problem in ('too_many_starts', 'too_many_waiting') then
    raise exception 'the tenant has %', case started.problem when 'too_many_starts' then 'started as many executions within a minute as it may'
      else 'as many executions waiting as it may' end using errcode = '53400', hint = 'start it again later; the operator''s limits: dagwright tenants show NAME';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, latest? (id of its version: only if this is the one that a start takes now; else the problem is `stale`, and nothing is recorded), runAt? (opened only then), open? (start_and_open_v2 opens it: no job),
-- tasks? (start_and_open_v3 opens it: it is recorded as running, with so many open tasks, and no job), deadline? (of such a one: seconds until it
-- times out) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
-- execution, and an id that was started already is not started again. Problems: not_found, not_active, tenant_suspended,
-- tier_too_low, stale, key_reused (the key came with another requestHash). Every row is found by its whole key, behind `offset 0`:
-- what was planned as a join or a hashed subquery while the tables were new would read all of the tenant's rows, ever after.
-- Where the operator has limited the tenant, no more start than there is room for (start_room_v1); the others are too_many_starts or
-- too_many_waiting.
create or replace function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  opening constant uuid[] := case when jsonb_path_exists(p, '$[*].open') then array(select (o.value->>'id')::uuid
    from jsonb_array_elements(p) o where o.value->'open' = 'true') end;
  bad text;
  count_ int := 0;
  jobs record;
  owner_ record;
  room int;
  no_room text;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  select t.status = 'active' as is_active, t.tier, t.max_running_tasks is not null as waits_for_permits,
    coalesce(t.max_starts_per_minute, t.max_waiting_executions) is not null as is_limited into owner_ from dagwright.tenants t where t.id = tenant;
  if owner_.is_limited then select * into room, no_room from dagwright.start_room_v1(tenant); end if;
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, request_hash, created_at)
    select tenant, coalesce(r.scope, 'start:' || r."workflowId"), r.key, r.id, decode(r."requestHash", 'hex'), now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, key text, scope text, "requestHash" text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
        and (r.latest is null or v.id = r.latest and v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
    where r.key is not null order by 2, 3, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at, run_at, status, started_at, open_tasks, deadline_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end,
        case when r.tasks is null then 'pending'::dagwright.execution_status else 'running' end, case when r.tasks is not null then now_ end,
        coalesce(r.tasks, 0), case when r.tasks is not null then now_ + r.deadline * interval '1 second' end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz, tasks int, deadline float8)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
          and (r.latest is null or v.id = r.latest and v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      limit room
      on conflict do nothing
      returning id, priority, run_at, status, version_id)
    select priority, count(*)::int as n, array_agg(json_build_object('e', id, 'o', tenant, 'v', version_id))
      filter (where run_at is null and status = 'pending' and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_openings_v1(jobs.payloads, jobs.priority, owner_.waits_for_permits); end if;
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k
      using jsonb_to_recordset(p) as r(id uuid, "workflowId" text, key text, scope text)
      cross join lateral (select h.ctid as tid from dagwright.idempotency_keys h where h.tenant_id = tenant
        and h.scope = coalesce(r.scope, 'start:' || r."workflowId") and h.key = r.key and h.workflow_execution_id = r.id offset 0) h
      where k.ctid = h.tid and not exists (select from dagwright.workflow_executions o where o.id = r.id offset 0);
  end if;
  if count_ = jsonb_array_length(p) and not has_keys then
    return query select r.i, r.id, false, null::text from jsonb_to_recordset(p) as r(i int, id uuid);
  else return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id and k.request_hash <> decode(r."requestHash", 'hex') then 'key_reused'
        when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id offset 0) then null
        when owner_.is_active is not true then 'tenant_suspended' when d.status is null then 'not_found'
        when d.status <> 'active' then 'not_active'
        when r.latest is not null and (v.id is distinct from r.latest or r.revision <> coalesce(d.pinned_revision, d.latest_revision)) then 'stale'
        when v.min_tier > owner_.tier then 'tier_too_low' when v.min_tier is null or no_room is null then 'not_found' else no_room end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.id, v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  end if;
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;

-- How many executions may start now within the operator's limits of a tenant, and what refuses the others. What is not committed yet
-- is not counted: starts beside each other may pass the limit by as many as there are at once.
create or replace function dagwright.start_room_v1(tenant uuid, out starts int, out problem text)
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
declare
  limits record;
  left_ int;
begin
  select max_starts_per_minute as per_minute, max_waiting_executions as waiting into limits from dagwright.tenants where id = tenant;
  if limits.per_minute is not null then
    select limits.per_minute - count(*) into starts from (select from dagwright.workflow_executions o
      where o.tenant_id = tenant and o.id > dagwright.first_id_v1(clock_timestamp() - interval '1 minute') limit limits.per_minute) o;
    problem := 'too_many_starts';
  end if;
  if limits.waiting is not null and coalesce(starts, 1) > 0 then
    -- The index of what is open; the status is looked at row by row (see start-due.sql).
    select limits.waiting - count(*) into left_ from (select from dagwright.workflow_executions o where o.tenant_id = tenant
      and o.status in ('pending', 'running', 'paused') and coalesce(o.status = 'pending', false) limit limits.waiting) o;
    if starts is null or left_ < starts then
      starts := left_;
      problem := 'too_many_waiting';
    end if;
  end if;
end $$;

-- The tenant of this session, or an error that shows what to type.
create or replace function dagwright.current_tenant() returns uuid language plpgsql stable as $$
declare
  tenant uuid := nullif(current_setting('app.current_tenant_id', true), '')::uuid;
begin
  if tenant is null then
    raise exception 'no tenant is set' using errcode = '22023',
      hint = 'select set_config(''app.current_tenant_id'', ''00000000-0000-7000-8000-000000000001'', true);  -- tenant "default"; true: for this transaction';
  end if;
  return tenant;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again. reason: at most 1,000 characters.
create or replace function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
  if length(reason) > 1000 then
    raise exception 'the reason of a cancel has at most 1000 characters' using errcode = '22023';
  end if;
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running', 'paused') then
    perform dagwright.end_execution_v1(execution_id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', coalesce(reason, 'cancelled on request')), null, clock_timestamp());
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.cancel', 'executions', execution_id::text, jsonb_build_object('status', now_status),
      jsonb_strip_nulls(jsonb_build_object('status', 'cancelled', 'reason', reason)));
    now_status := 'cancelled';
  end if;
  return now_status;
end $$;

-- src/db/functions/who-may-call.sql
-- Who may call which function: nobody but those who are named here. PostgreSQL lets everybody call what is new, and most of these
-- run as the owner, for whatever tenant the session names.
--   W1  A function without a line here is the engine's alone, also one that a later release makes.
--   W2  The caller's are those that are documented for other services; it has no table, so that they are all it can do.
alter default privileges for role dagwright_owner revoke execute on functions from public;
alter default privileges for role dagwright_owner in schema dagwright grant execute on functions to dagwright_engine;
revoke execute on all functions in schema dagwright from public;
grant execute on all functions in schema dagwright to dagwright_engine;

-- For other services, in their own transactions.
grant usage on schema dagwright to dagwright_caller;
grant execute on function dagwright.start_workflow(text, jsonb, text, int, jsonb),
  dagwright.start_workflow_v2(text, jsonb, text, int, jsonb, timestamptz, int), dagwright.cancel_execution(uuid, text),
  dagwright.pause_execution(uuid), dagwright.resume_execution(uuid), dagwright.complete_callback(text, jsonb, jsonb),
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text),
  dagwright.signal_execution(uuid, text, jsonb, text, boolean) to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text), dagwright.task_needs_v2(json), dagwright.missing_types_v1(jsonb),
  dagwright.read_needs_v1(uuid), dagwright.needs_of_v1(jsonb, jsonb, text) to dagwright_tenant;
