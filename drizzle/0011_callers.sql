-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/audit.sql
-- The audit trail: who changed what, from where, in the transaction of the change itself. Only ever appended to.
--   A1  Every change of the tables below writes its row, whatever made it: HTTP, command line, SQL, the service itself.
--   A2  What is secret is named as changed, never shown.
-- Who acts is told by app.actor, app.address and app.user_agent of the transaction; without, it is the login.

create or replace function dagwright.current_actor() returns text language sql stable as $$
  select coalesce(nullif(current_setting('app.actor', true), ''), 'sql:' || session_user)
$$;

-- Appends one row; `tenant` null: the installation. Its id is a UUIDv7 to the microsecond (RFC 9562, 6.2, method 3), so that the
-- rows of one transaction are listed in the order of writing.
create or replace function dagwright.audit_v1(tenant uuid, action text, type text, id text, old_values jsonb, new_values jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  before constant text := current_setting('app.current_tenant_id', true);
  now_ constant timestamptz := clock_timestamp();
  us constant bigint := floor(extract(epoch from now_) * 1000000);
  row_id constant uuid := (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
    || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid;
begin
  perform set_config('app.current_tenant_id', coalesce(tenant::text, ''), true);
  insert into dagwright.audit_logs (id, tenant_id, at, actor, action, resource_type, resource_id, old_values, new_values, address, user_agent)
  values (row_id, tenant, now_, dagwright.current_actor(), audit_v1.action, type, audit_v1.id, audit_v1.old_values,
    audit_v1.new_values, nullif(current_setting('app.address', true), ''), nullif(current_setting('app.user_agent', true), ''));
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;

-- Row trigger. Arguments: resource type; columns of its id, joined by '/'; columns that are no change by themselves; secret
-- columns; and INSERT where an update is the row's first appearance. A row without a tenant_id belongs to the installation.
create or replace function dagwright.audit_row_v1() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  op constant text := coalesce(tg_argv[4], tg_op);
  noise constant text[] := string_to_array(coalesce(tg_argv[2], ''), ',');
  secret constant text[] := string_to_array(coalesce(tg_argv[3], ''), ',');
  before jsonb := case when op <> 'INSERT' then to_jsonb(old) - noise end;
  after jsonb := case when op <> 'DELETE' then to_jsonb(new) - noise end;
  any_row constant jsonb := coalesce(after, before);
  id constant text := (select string_agg(any_row->>c.name, '/' order by c.k)
    from unnest(string_to_array(tg_argv[1], ',')) with ordinality as c(name, k));
  name text;
begin
  if op = 'UPDATE' then
    if before = after then return null; end if;
    for name in select key from jsonb_each(after) where value = before->key loop
      before := before - name;
      after := after - name;
    end loop;
  end if;
  foreach name in array secret loop
    if before ? name then before := jsonb_set(before, array[name], '"[hidden]"'); end if;
    if after ? name then after := jsonb_set(after, array[name], '"[hidden]"'); end if;
  end loop;
  perform dagwright.audit_v1(
    case tg_table_name when 'tenants' then any_row->>'id' else any_row->>'tenant_id' end::uuid,
    tg_argv[0] || '.' || case op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
    tg_argv[0], id, before, after);
  return null;
end $$;


create or replace function dagwright.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'dagwright.% is only appended to', tg_table_name using errcode = '42501';
end $$;
create or replace trigger audit_logs_append_only before update or delete or truncate on dagwright.audit_logs
  for each statement execute function dagwright.refuse_change();

create or replace trigger audit after insert or update or delete on dagwright.tenants
  for each row execute function dagwright.audit_row_v1('tenants', 'id', 'updated_at');
create or replace trigger audit after insert or update or delete on dagwright.api_keys
  for each row execute function dagwright.audit_row_v1('api-keys', 'id', 'last_used_at', 'secret_hash');
-- A definition without a revision is one that is just being saved.
create or replace trigger audit_insert after insert on dagwright.workflow_definitions
  for each row when (new.latest_revision > 0) execute function dagwright.audit_row_v1('workflows', 'workflow_id', 'updated_at');
create or replace trigger audit_first after update on dagwright.workflow_definitions
  for each row when (old.latest_revision = 0) execute function dagwright.audit_row_v1('workflows', 'workflow_id', 'updated_at', '', 'INSERT');
create or replace trigger audit_update after update on dagwright.workflow_definitions
  for each row when (old.latest_revision > 0) execute function dagwright.audit_row_v1('workflows', 'workflow_id', 'updated_at');
create or replace trigger audit_delete after delete on dagwright.workflow_definitions
  for each row execute function dagwright.audit_row_v1('workflows', 'workflow_id', 'updated_at');
create or replace trigger audit after insert or update or delete on dagwright.workflow_variables
  for each row execute function dagwright.audit_row_v1('variables', 'name', 'updated_at');
create or replace trigger audit after insert or update or delete on dagwright.schedules
  for each row execute function dagwright.audit_row_v1('schedules', 'id', 'updated_at,next_run_at,due_at,last_run_at,last_execution_id,fence');
create or replace trigger audit after insert or update or delete on dagwright.webhooks
  for each row execute function dagwright.audit_row_v1('webhooks', 'id', 'updated_at', 'secrets');
create or replace trigger audit after insert or update or delete on dagwright.event_triggers
  for each row execute function dagwright.audit_row_v1('event-triggers', 'workflow_id,name');
create or replace trigger audit after insert or update or delete on dagwright.webhook_filters
  for each row execute function dagwright.audit_row_v1('webhook-filters', 'webhook_id,position');
-- Of columns: its others change with every call to the service. A row that limits nothing is one that is just being made.
create or replace trigger audit_insert after insert on dagwright.service_limits
  for each row when (coalesce(new.max_concurrency, new.rate_limit) is not null)
  execute function dagwright.audit_row_v1('service-limits', 'service_id', 'updated_at,starts,waiting_worker_id,waiting_since,waiting_seen_at');
create or replace trigger audit_first after update of max_concurrency, rate_limit, rate_interval_ms on dagwright.service_limits
  for each row when (coalesce(old.max_concurrency, old.rate_limit) is null)
  execute function dagwright.audit_row_v1('service-limits', 'service_id', 'updated_at,starts,waiting_worker_id,waiting_since,waiting_seen_at', '', 'INSERT');
create or replace trigger audit_update after update of max_concurrency, rate_limit, rate_interval_ms on dagwright.service_limits
  for each row when (coalesce(old.max_concurrency, old.rate_limit) is not null)
  execute function dagwright.audit_row_v1('service-limits', 'service_id', 'updated_at,starts,waiting_worker_id,waiting_since,waiting_seen_at');
create or replace trigger audit_delete after delete on dagwright.service_limits
  for each row when (coalesce(old.max_concurrency, old.rate_limit) is not null)
  execute function dagwright.audit_row_v1('service-limits', 'service_id', 'updated_at,starts,waiting_worker_id,waiting_since,waiting_seen_at');

-- Prices of the library come with a release, thousands at once; who changes prices are operators.
create or replace trigger audit_insert after insert on dagwright.ai_model_pricing
  for each row when (new.source = 'operator') execute function dagwright.audit_row_v1('pricing', 'provider,model', 'updated_at');
create or replace trigger audit_update after update on dagwright.ai_model_pricing
  for each row when ('operator' in (old.source, new.source)) execute function dagwright.audit_row_v1('pricing', 'provider,model', 'updated_at');
create or replace trigger audit_delete after delete on dagwright.ai_model_pricing
  for each row when (old.source = 'operator') execute function dagwright.audit_row_v1('pricing', 'provider,model', 'updated_at');

-- src/db/functions/events.sql
-- Records an event of the current tenant in the caller's own transaction and returns its id; rolled back with the caller.
-- It starts the definitions that have a trigger for its type, within about a second after the commit. The same
-- idempotency_key of the same type returns the first event's id, and starts nothing again.
create or replace function dagwright.emit_event(type text, payload jsonb default '{}', idempotency_key text default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  event_id uuid;
begin
  if emit_event.type is null or emit_event.type !~ '^[A-Za-z][A-Za-z0-9_.:/-]{0,199}$' then
    raise exception 'the type of an event is a letter, then letters, digits and _ . : / -, at most 200 in all' using errcode = '22023';
  end if;
  if emit_event.payload is null then
    raise exception 'the payload of an event is JSON, not null' using errcode = '22023', hint = 'for an event without one: {}';
  end if;
  if octet_length(emit_event.payload::text) > 1000000 then
    raise exception 'the payload of an event has at most 1000000 bytes of JSON' using errcode = '54000';
  end if;
  if octet_length(emit_event.idempotency_key) not between 1 and 500 then
    raise exception 'an idempotency_key has 1 to 500 bytes' using errcode = '22023';
  end if;
  insert into dagwright.events (id, tenant_id, type, payload, idempotency_key, created_by, created_at)
  values (dagwright.uuid_v7(), tenant, emit_event.type, emit_event.payload, emit_event.idempotency_key, dagwright.current_actor(), clock_timestamp())
  on conflict (tenant_id, type, idempotency_key) where idempotency_key is not null do nothing
  returning id into event_id;
  if event_id is null then
    select e.id into event_id from dagwright.events e
      where e.tenant_id = tenant and e.type = emit_event.type and e.idempotency_key = emit_event.idempotency_key;
  end if;
  return event_id;
end $$;

-- src/db/functions/jobs.sql
-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create or replace function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. The only way into graphile's tables; runs as the owner of both schemas.
create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs, each with a list.
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
begin
  if n = 0 then return; end if;
  perform dagwright.add_jobs_v1(array(
    select json_build_object('e', e, 't', json_agg(json_build_array(ts[k], ms[k]) order by k))
    from generate_series(1, n) as k group by (k - 1) / size order by (k - 1) / size), priority);
end $$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier = 'dagwright' and j.attempts < j.max_attempts
$$;

-- What is not terminal and has nothing that will wake it. Must be empty.
create or replace view dagwright.v_orphans with (security_invoker = true) as
  with jobs as materialized (select * from dagwright.jobs_v1())
  select o.id as execution_id, null::text as task_id, null::int as map_index, o.status::text, 'pending execution without a job' as problem
    from dagwright.workflow_executions o
    where o.status = 'pending' and o.run_at is null and not exists (select from jobs j where j.execution_id = o.id and j.task_id is null)
  union all
  select o.id, null, null, o.status::text, 'all tasks ended, not concluded' from dagwright.workflow_executions o
    where o.status = 'running' and o.open_tasks = 0 and not exists (select from dagwright.workers w where w.id = o.concluded_by)
  union all
  select t.workflow_execution_id, t.task_id, t.map_index, t.status::text, case
      when t.ready_at is not null then 'ready without a job'
      when t.status = 'running' then 'running on a worker that is gone'
      when t.status = 'pending' and t.map_index >= 0 then 'item that is neither ready nor running'
      when t.status = 'pending' then 'pending without open edges'
      else 'waiting for nothing' end
    from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
    where o.status in ('running', 'paused') and t.status in ('pending', 'running', 'waiting', 'retrying') and not (
      (t.ready_at is not null and exists (select from jobs j where j.execution_id = t.workflow_execution_id and j.task_id = t.task_id and j.map_index = t.map_index))
      or (t.status = 'running' and exists (select from dagwright.workers w where w.id = t.worker_id))
      or (t.status = 'pending' and t.ready_at is null and t.map_index < 0 and t.pending_edges > 0)
      or (t.status in ('waiting', 'retrying') and t.wake_at is not null)
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and t.waiting_on = 'items' and t.items_open > 0));

-- src/db/functions/queue-state.sql
-- Jobs that are due and not taken, and for how long the oldest has been; looks at no more than `most` of them.
create or replace function dagwright.queue_state_v1(most int) returns table (waiting int, oldest_seconds float8)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(j.run_at)), 0)::float8
  from (select run_at from graphile_worker._private_jobs where is_available and run_at <= clock_timestamp() order by priority, run_at limit most) j
$$;

-- src/db/functions/schedules.sql
-- The ledger of schedules. A scheduler reads what is due, decides (core/schedule/decide-ticks.ts) and applies the decision here:
-- one call, one commit, for many schedules.
--   K1  A nominal time gets one row, and its execution starts in the transaction that writes the row: whatever crashes before the
--       commit leaves nothing, and after it everything is done. A call that is sent again finds a higher fence and does nothing.
--   K2  A decision is applied only under the schedule's lock and the fence that it was made under. Every decision and every change
--       of a schedule raises the fence, so two processes, or a process and an edit, cannot both act on what was read.
--   K3  The primary key of schedule_ticks is the guard: only who inserts the row of a nominal time (or turns a missed or buffered one)
--       starts an execution for it.
--   K4  Only the database's clock is asked.
--   K5  What cannot start makes its own tick `missed` with the reason, and touches no other schedule.
--   K6  An execution that is to be cancelled and is held by somebody leaves its schedule to the next pass, and holds up no other.
-- Order of locks: schedules by id (those that are locked are left to the next pass), their ticks, new executions, the executions to
-- cancel by id. Editing, pausing, deleting and backfill take the schedule's lock first as well.

-- Records and starts what was decided. p: [{ id, fence, moves (next_run_at and due_at are set), nextRunAt, dueAt, revision (that the
-- input was checked against), promote (id of the execution if a buffered tick fires now), refusal (why it may not fire, null: it may),
-- ticks: [{ at, status, reason, execution (id, where it fires) }] }]. Ids are the schedules'. Returns { applied, fired }.
create or replace function dagwright.apply_ticks_v1(p jsonb) returns jsonb
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  now_ timestamptz;
  ids uuid[];
  fired int;
  x record;
begin
  -- K2. A row that was changed since is judged again as it is now.
  select array_agg(l.id) into ids from (
    select s.id from jsonb_to_recordset(p) as r(id uuid, fence bigint) join dagwright.schedules s on s.id = r.id
    where s.fence = r.fence order by s.id for no key update of s skip locked) l;
  -- K6. Taken without waiting, so out of the order of locks; what could not be had is there below.
  with running as materialized (
      select t.schedule_id, o.id from dagwright.schedules s join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
      join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
      where s.id = any(ids) and s.overlap_policy = 'cancel_other'),
    taken as materialized (
      select o.id from dagwright.workflow_executions o where o.id = any(array(select id from running)) order by o.id for no key update of o skip locked)
  select array_agg(i.id) into ids from unnest(ids) as i(id)
    where not exists (select from running r where r.schedule_id = i.id and r.id not in (select id from taken));
  if ids is null then return '{"applied": 0, "fired": 0}'; end if;
  now_ := clock_timestamp();
  perform dagwright.pause_failed_schedules_v1(ids);
  update dagwright.schedule_ticks t set is_open = false
  where t.schedule_id = any(ids) and t.is_open and t.status <> 'buffered'
    and not exists (select from dagwright.workflow_executions o where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'));
  -- The first buffered tick, where nothing is in its way.
  update dagwright.schedule_ticks t set decided_at = now_,
    status = case when b.refusal is null then 'fired' else 'missed' end::dagwright.tick_status, reason = b.refusal, is_open = b.refusal is null,
    workflow_execution_id = case when b.refusal is null then b.promote end
  from (select s.id, s.tenant_id, r.promote, r.refusal, (select min(f.scheduled_at) from dagwright.schedule_ticks f
          where f.schedule_id = s.id and f.is_open and f.status = 'buffered') as at
        from jsonb_to_recordset(p) as r(id uuid, promote uuid, refusal text) join dagwright.schedules s on s.id = r.id
        where s.id = any(ids) and s.status = 'active' and r.promote is not null and (s.overlap_policy in ('allow_all', 'cancel_other')
          or not exists (select from dagwright.schedule_ticks f where f.schedule_id = s.id and f.is_open and f.status = 'fired'))) b
  where t.tenant_id = b.tenant_id and t.schedule_id = b.id and t.scheduled_at = b.at;
  -- K3. What was due when the schedule came to be paused above is told as missed.
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, reason, is_open)
  select s.tenant_id, s.id, t.at, case when s.status = 'active' then t.status else 'missed' end,
    case when s.status = 'active' then t.execution end, now_, case when s.status = 'active' then t.reason else 'the schedule was paused' end,
    s.status = 'active' and t.status in ('fired', 'buffered')
  from jsonb_to_recordset(p) as r(id uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
  cross join lateral jsonb_to_recordset(r.ticks) as t(at timestamptz, status dagwright.tick_status, reason text, execution uuid)
  where s.id = any(ids)
  on conflict do nothing;
  fired := dagwright.start_ticks_v1(p, 'fired', null);
  -- cancel_other: what ran before the tick that has just started.
  for x in
    select o.id, o.tenant_id, o.status, s.name from jsonb_to_recordset(p) as r(id uuid) join dagwright.schedules s on s.id = r.id
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
    where s.id = any(ids) and s.overlap_policy = 'cancel_other' and exists (select from dagwright.schedule_ticks n
      where n.schedule_id = s.id and n.is_open and n.status = 'fired' and n.decided_at = now_ and n.scheduled_at > t.scheduled_at)
    order by o.id for no key update of o
  loop
    perform dagwright.end_execution_v1(x.id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', format('the next run of schedule "%s" began', x.name)), null, clock_timestamp());
    perform dagwright.audit_v1(x.tenant_id, 'executions.cancel', 'executions', x.id::text, jsonb_build_object('status', x.status),
      jsonb_build_object('status', 'cancelled', 'reason', format('the next run of schedule "%s" began', x.name)));
  end loop;
  update dagwright.schedules s set fence = s.fence + 1,
    next_run_at = case when r.moves and s.status = 'active' then r."nextRunAt" else s.next_run_at end,
    due_at = case when r.moves and s.status = 'active' then r."dueAt" else s.due_at end,
    last_run_at = greatest(s.last_run_at, (select max(t.at) from jsonb_to_recordset(r.ticks) as t(at timestamptz))),
    last_execution_id = coalesce((select t.workflow_execution_id from dagwright.schedule_ticks t where t.schedule_id = s.id and t.is_open
      and t.status = 'fired' and t.decided_at = now_ order by t.scheduled_at desc limit 1), s.last_execution_id)
  from jsonb_to_recordset(p) as r(id uuid, moves boolean, "nextRunAt" timestamptz, "dueAt" timestamptz, ticks jsonb)
  where s.id = r.id and s.id = any(ids);
  return jsonb_build_object('applied', cardinality(ids), 'fired', fired);
end $$;

-- Starts the executions of the ticks of this call that have this status, as p of apply_ticks_v1 names them; `by` null: the schedule
-- itself. How many started; the others become missed. The caller holds the schedules' locks.
create or replace function dagwright.start_ticks_v1(p jsonb, wanted dagwright.tick_status, by text) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
  n int := 0;
  refused int;
begin
  for x in
    select w.tenant_id, jsonb_agg(w.item || jsonb_build_object('i', w.i)) as items, array_agg(w.id order by w.i) as schedules,
      array_agg(w.scheduled_at order by w.i) as times
    from (
      select s.id, s.tenant_id, t.scheduled_at, row_number() over (partition by s.tenant_id order by t.scheduled_at, s.id)::int as i,
        jsonb_strip_nulls(jsonb_build_object('id', t.workflow_execution_id, 'workflowId', s.workflow_id, 'revision', r.revision, 'scope', 'schedule',
          'key', 'schedule:' || s.id || ':' || at.text, 'priority', s.priority, 'triggerType', 'schedule',
          'trigger', jsonb_build_object('scheduledAt', at.text, 'scheduleId', s.id, 'scheduleName', s.name),
          'createdBy', coalesce(by, 'schedule:' || s.name))) || jsonb_build_object('input', s.input) as item
      from jsonb_to_recordset(p) as r(id uuid, revision int, promote uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
      cross join lateral (select r.promote as execution where r.promote is not null
        union all select e.execution from jsonb_to_recordset(r.ticks) as e(execution uuid) where e.execution is not null) e
      join dagwright.schedule_ticks t on t.workflow_execution_id = e.execution and t.schedule_id = s.id and t.status = wanted
      cross join lateral (select to_char(t.scheduled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text) at) w
    group by w.tenant_id order by w.tenant_id
  loop
    update dagwright.schedule_ticks t set
      status = case when r.problem is null then t.status else 'missed' end,
      reason = case r.problem when 'not_found' then 'the workflow does not exist' when 'not_active' then 'the workflow is not active'
        when 'tenant_suspended' then 'the tenant is suspended' when 'tier_too_low' then 'the workflow needs a tenant of a higher tier'
        else r.problem end,
      is_open = r.problem is null, workflow_execution_id = case when r.problem is null then r.id end
    from dagwright.start_executions_v1(x.tenant_id, x.items) r
    where (r.problem is not null or r.existing)
      and t.tenant_id = x.tenant_id and t.schedule_id = x.schedules[r.i] and t.scheduled_at = x.times[r.i];
    select count(*) into refused from dagwright.schedule_ticks t, unnest(x.schedules, x.times) u(schedule_id, at)
      where t.tenant_id = x.tenant_id and t.schedule_id = u.schedule_id and t.scheduled_at = u.at and t.status = 'missed';
    n := n + cardinality(x.times) - refused;
  end loop;
  return n;
end $$;

-- Pauses those of these schedules, whose locks the caller holds, that ask for it and of which an execution has failed.
create or replace function dagwright.pause_failed_schedules_v1(ids uuid[]) returns void
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  for x in
    select s.id, (array_agg(o.id order by o.completed_at))[1] as failed from dagwright.schedules s
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status = 'failed'
    where s.id = any(ids) and s.pause_on_failure and s.status = 'active' group by s.id
  loop
    update dagwright.schedules set status = 'paused', paused_reason = format('execution %s failed', x.failed),
      next_run_at = null, due_at = null, updated_at = clock_timestamp() where id = x.id;
    update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = 'the schedule was paused'
      where schedule_id = x.id and is_open and status = 'buffered';
  end loop;
end $$;

-- Schedules of which something has ended, or that have a buffered tick with nothing in its way: in one page of open ticks after a
-- place. `last_*` is the place to go on after; null: that was the last page.
create or replace function dagwright.ended_ticks_v1(after_schedule uuid, after_at timestamptz, most int,
  out schedule_ids uuid[], out last_schedule uuid, out last_at timestamptz)
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  with page as materialized (
      select t.schedule_id, t.scheduled_at, t.status, t.workflow_execution_id from dagwright.schedule_ticks t
      where t.is_open and (t.schedule_id, t.scheduled_at) > (after_schedule, after_at) order by t.schedule_id, t.scheduled_at limit most)
  select
    array(
      select p.schedule_id from page p where p.status <> 'buffered' and not exists (select from dagwright.workflow_executions o
        where o.id = p.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      union
      select b.schedule_id from (select distinct schedule_id from page where status = 'buffered') b
      join dagwright.schedules s on s.id = b.schedule_id
      where s.overlap_policy in ('allow_all', 'cancel_other') or not exists (select from dagwright.schedule_ticks t
        join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
        where t.schedule_id = b.schedule_id and t.is_open and t.status = 'fired')) as ids,
    count(*) as n,
    (select p.schedule_id from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as s,
    (select p.scheduled_at from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as at
    into x from page;
  schedule_ids := x.ids;
  if x.n = most then
    last_schedule := x.s;
    last_at := x.at;
  end if;
end $$;

-- Makes rows for nominal times that will not fire and, with `gives_up`, of what is buffered. Takes the schedule's lock, whoever calls:
-- a row of a tick that is not committed would hold up a pass of any scheduler, for all tenants, while that passes by a locked schedule.
create or replace function dagwright.miss_ticks_v1(schedule uuid, times timestamptz[], why text, gives_up boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = dagwright.current_tenant() for no key update;
  if not found then return; end if;
  update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = why
    where gives_up and tenant_id = dagwright.current_tenant() and schedule_id = schedule and is_open and status = 'buffered';
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, decided_at, reason)
  select s.tenant_id, s.id, t.at, 'missed', clock_timestamp(), why from dagwright.schedules s, unnest(times) as t(at)
    where s.id = schedule and s.tenant_id = dagwright.current_tenant()
  on conflict do nothing;
end $$;

-- Starts the nominal times that have no execution: without a row, or missed. p: [{ at, execution }]. Two at once start each time once:
-- both go through the schedule's lock. Returns the ticks of this call, `backfilled` or, where nothing could start, `missed`.
create or replace function dagwright.backfill_schedule_v1(schedule uuid, revision int, p jsonb)
returns table (scheduled_at timestamptz, execution_id uuid, reason text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  taken timestamptz[];
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = tenant for no key update;
  if not found then return; end if;
  with made as (
    insert into dagwright.schedule_ticks as t (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, is_open)
    select tenant, schedule, r.at, 'backfilled', r.execution, clock_timestamp(), true
    from jsonb_to_recordset(p) as r(at timestamptz, execution uuid)
    on conflict (tenant_id, schedule_id, scheduled_at) do update set status = 'backfilled', workflow_execution_id = excluded.workflow_execution_id,
      decided_at = excluded.decided_at, reason = null, is_open = true
    where t.status = 'missed'
    returning t.scheduled_at)
  select array_agg(made.scheduled_at) into taken from made;
  perform dagwright.start_ticks_v1(jsonb_build_array(jsonb_build_object('id', schedule, 'revision', revision, 'ticks', p)), 'backfilled',
    dagwright.current_actor());
  perform dagwright.audit_v1(tenant, 'schedules.backfill', 'schedules', schedule::text, null, jsonb_build_object('started', coalesce(cardinality(taken), 0)));
  return query select t.scheduled_at, t.workflow_execution_id, t.reason from dagwright.schedule_ticks t
    where t.tenant_id = tenant and t.schedule_id = schedule and t.scheduled_at = any(taken) order by t.scheduled_at;
end $$;

-- Starts the schedule's workflow at once, whatever its status: no tick. The execution's id, or why it cannot start; no row where there
-- is no such schedule.
create or replace function dagwright.run_schedule_v1(schedule uuid, execution uuid, revision int)
returns table (execution_id uuid, problem text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select r.id, r.problem from dagwright.schedules s
  cross join lateral dagwright.start_executions_v1(s.tenant_id, jsonb_build_array(jsonb_build_object('i', 0, 'id', execution,
    'workflowId', s.workflow_id, 'revision', revision, 'input', s.input, 'priority', s.priority, 'triggerType', 'schedule',
    'trigger', jsonb_build_object('scheduledAt', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'scheduleId', s.id, 'scheduleName', s.name, 'runNow', true), 'createdBy', dagwright.current_actor()))) r
  where s.id = schedule and s.tenant_id = dagwright.current_tenant()
$$;

-- src/db/functions/services.sql
-- Permits for calls to a limited service, for one worker: gives back those in `released`, then asks for those in `wanted`.
-- The row of service_limits is locked first and last: all workers take their turns there, in transactions that hold
-- nothing else. For each wanted permit: granted, and how long until the call may start; or not granted, and after how
-- long to ask again. `held`: it must be released. A start further away than `patience_ms` is not given.
--
-- Any `rate_limit` + 1 starts in a row span more than the interval: the ring of starts says when the call came that was
-- `rate_limit` calls ago. Calls start a little after their time, some later than others: a margin makes up for it.
create or replace function dagwright.exchange_permits_v1(service text, worker uuid, released uuid[], wanted uuid[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  free int;
  start_ timestamptz;
  permit uuid;
  given int := 0;
begin
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if not found then
    return query select w, true, false, 0::float8 from unnest(wanted) w;
    return;
  end if;
  delete from dagwright.service_permits p where p.id = any(released);
  if cardinality(wanted) = 0 then return; end if;
  if not exists (select from dagwright.workers w where w.id = worker) then
    return query select w, false, false, 1000::float8 from unnest(wanted) w;
    return;
  end if;
  now_ := clock_timestamp();
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select row_.max_concurrency - count(*) into free from dagwright.service_permits p where p.service_id = service;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  foreach permit in array wanted loop
    permit_id := permit;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or free > 0;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at)
        values (service, (row_.starts + given) % row_.rate_limit, start_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at;
        given := given + 1;
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at) values (permit, service, worker, now_);
      free := free - 1;
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    held := held and granted;
    return next;
  end loop;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at));
end $$;

-- Sets limits; null: that one is lifted. The starts that the ring knows are kept as far as they fit the new rate.
create or replace function dagwright.set_service_limit_v1(service text, concurrency int, rate int, interval_ms int) returns void
language plpgsql as $$
declare
  old_rate int;
  known timestamptz[];
begin
  insert into dagwright.service_limits (service_id, max_concurrency, rate_limit, rate_interval_ms) values (service, concurrency, rate, interval_ms)
    on conflict do nothing;
  if not found then
    select rate_limit into old_rate from dagwright.service_limits where service_id = service for no key update;
    update dagwright.service_limits set max_concurrency = concurrency, rate_limit = rate, rate_interval_ms = interval_ms,
      updated_at = clock_timestamp() where service_id = service;
  end if;
  if old_rate is not distinct from rate then return; end if;
  select array_agg(starts_at order by starts_at) into known from (
    select starts_at from dagwright.service_starts where service_id = service order by starts_at desc limit coalesce(rate, 0)) newest;
  delete from dagwright.service_starts where service_id = service;
  insert into dagwright.service_starts (service_id, slot, starts_at)
    select service, ordinality - 1, k from unnest(known) with ordinality as u (k, ordinality);
  update dagwright.service_limits set starts = coalesce(cardinality(known), 0) where service_id = service;
end $$;

-- Sets the limits that `change` names (maxConcurrency, rateLimit, rateIntervalMs; null: lifted), and leaves the others; those that hold
-- from then on. Of two at once both count: the row is locked before it is read, also one that is just being made.
create or replace function dagwright.change_service_limit_v1(service text, change jsonb)
returns table (max_concurrency int, rate_limit int, rate_interval_ms int)
language plpgsql as $$
#variable_conflict use_column
declare
  row_ dagwright.service_limits;
begin
  insert into dagwright.service_limits (service_id) values (service) on conflict do nothing;
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if change ? 'maxConcurrency' then row_.max_concurrency := (change->>'maxConcurrency')::int; end if;
  if change ? 'rateLimit' then row_.rate_limit := (change->>'rateLimit')::int; end if;
  if change ? 'rateIntervalMs' then row_.rate_interval_ms := (change->>'rateIntervalMs')::int; end if;
  perform dagwright.set_service_limit_v1(service, row_.max_concurrency, row_.rate_limit, row_.rate_interval_ms);
  return query select row_.max_concurrency, row_.rate_limit, row_.rate_interval_ms;
end $$;

-- Whether the call `probe` of this worker may try an open service: its time is over and nobody else tries. The row as it
-- was before, where there is one: openings, milliseconds left, whether another tries.
create or replace function dagwright.probe_service_v1(service text, worker uuid, probe uuid)
returns table (granted boolean, openings int, open_for_ms float8, is_probing boolean, paused_for_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_states;
  now_ timestamptz;
begin
  select * into row_ from dagwright.service_states s where s.service_id = service for no key update;
  if not found then return; end if;
  now_ := clock_timestamp();
  openings := row_.openings;
  open_for_ms := coalesce(extract(epoch from row_.open_until - now_) * 1000, 0);
  paused_for_ms := coalesce(extract(epoch from row_.paused_until - now_) * 1000, 0);
  is_probing := dagwright.is_probing_v1(row_);
  granted := row_.openings > 0 and open_for_ms <= 0 and not is_probing
    and exists (select from dagwright.workers w where w.id = worker);
  if granted then
    update dagwright.service_states s set probe_id = probe, probe_worker_id = worker, probe_started_at = now_
      where s.service_id = service;
  end if;
  return next;
end $$;

-- A probe counts while its worker's row exists, and for ten minutes at most.
create or replace function dagwright.is_probing_v1(state dagwright.service_states) returns boolean
language sql stable as $$
  select state.probe_id is not null and state.probe_started_at > clock_timestamp() - interval '10 minutes'
    and exists (select from dagwright.workers w where w.id = state.probe_worker_id)
$$;

-- src/db/functions/start-due.sql
-- Hands executions whose runAt has come to the queue, at most `most`, and as many of those that were held; locked ones wait for the
-- next pass.
--   D1  What comes due while its tenant is suspended is held: it leaves the index of what is due, so that no later pass reads it again,
--       and what came due after it for other tenants is not behind it.
--   D2  Held ones are found by tenant, one look at the index for each tenant that has some, and start when that tenant is active
--       again. Every pass asks, so nobody has to tell, and a status that changes beside a pass is seen by the next.
-- `coalesce(status = 'pending', false)` leads the planner to no index of what is open: those of times are the ones.
create or replace function dagwright.start_due_v1(most int) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  x record;
  n int := 0;
  held int;
begin
  -- D1. A pass goes on past what it held, but not without end.
  for round in 1..16 loop
    held := 0;
    for x in
      with due as materialized (
        select o.id, t.status = 'active' as may_start from (
            select id, tenant_id from dagwright.workflow_executions
            where run_at <= now_ and run_at is not null and not is_held and coalesce(status = 'pending', false)
            order by run_at limit most - n for no key update skip locked) o
          cross join lateral (select status from dagwright.tenants where id = o.tenant_id offset 0) t),
      held as (
        update dagwright.workflow_executions o set is_held = true from due where o.id = due.id and not due.may_start returning o.id),
      woken as (
        update dagwright.workflow_executions o set run_at = null from due where o.id = due.id and due.may_start returning o.id, o.priority)
      select priority, array_agg(json_build_object('e', id)) as payloads, count(*) as k from woken group by priority
      union all select null, null, count(*) from held
    loop
      if x.payloads is null then
        held := x.k;
      else
        perform dagwright.add_jobs_v1(x.payloads, x.priority);
        n := n + x.k;
      end if;
    end loop;
    exit when held = 0 or n >= most;
  end loop;
  -- D2.
  for x in
    with recursive holding as (
      (select tenant_id from dagwright.workflow_executions where is_held and run_at is not null order by tenant_id, run_at limit 1)
      union all
      select (select o.tenant_id from dagwright.workflow_executions o where o.is_held and o.run_at is not null and o.tenant_id > h.tenant_id
        order by o.tenant_id, o.run_at limit 1) from holding h where h.tenant_id is not null),
    free as materialized (
      select o.id from holding h
      cross join lateral (select status from dagwright.tenants where id = h.tenant_id offset 0) t
      cross join lateral (select e.id from dagwright.workflow_executions e
        where e.tenant_id = h.tenant_id and e.is_held and e.run_at is not null and coalesce(e.status = 'pending', false)
        order by e.run_at limit most for no key update skip locked) o
      where t.status = 'active' limit most),
    woken as (
      update dagwright.workflow_executions o set run_at = null, is_held = false from free where o.id = free.id returning o.id, o.priority)
    select priority, array_agg(json_build_object('e', id)) as payloads, count(*) as k from woken group by priority
  loop
    perform dagwright.add_jobs_v1(x.payloads, x.priority);
    n := n + x.k;
  end loop;
  return n;
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, runAt? (opened only then) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
-- execution, and an id that was started already is not started again. Problems: not_found, not_active, tenant_suspended,
-- tier_too_low, key_reused (the key came with another requestHash). Every row is found by its whole key, behind `offset 0`:
-- what was planned as a join or a hashed subquery while the tables were new would read all of the tenant's rows, ever after.
create or replace function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  bad text;
  jobs record;
  owner_ record;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  select t.status = 'active' as is_active, t.tier into owner_ from dagwright.tenants t where t.id = tenant;
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, request_hash, created_at)
    select tenant, coalesce(r.scope, 'start:' || r."workflowId"), r.key, r.id, decode(r."requestHash", 'hex'), now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text, "requestHash" text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier offset 0) v
    where r.key is not null order by 2, 3, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at, run_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      on conflict do nothing
      returning id, priority, run_at)
    select priority, array_agg(json_build_object('e', id)) as payloads from started where run_at is null group by priority
  loop
    perform dagwright.add_jobs_v1(jobs.payloads, jobs.priority);
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k
      using jsonb_to_recordset(p) as r(id uuid, "workflowId" text, key text, scope text)
      cross join lateral (select h.ctid as tid from dagwright.idempotency_keys h where h.tenant_id = tenant
        and h.scope = coalesce(r.scope, 'start:' || r."workflowId") and h.key = r.key and h.workflow_execution_id = r.id offset 0) h
      where k.ctid = h.tid and not exists (select from dagwright.workflow_executions o where o.id = r.id offset 0);
  end if;
  return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id and k.request_hash <> decode(r."requestHash", 'hex') then 'key_reused'
        when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id offset 0) then null
        when owner_.is_active is not true then 'tenant_suspended' when d.status is null then 'not_found'
        when d.status <> 'active' then 'not_active' when v.min_tier > owner_.tier then 'tier_too_low' else 'not_found' end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
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

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor()))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', workflow_id using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem = 'tenant_suspended' then
    raise exception 'the tenant does not exist, or is suspended' using errcode = '55000', hint = 'dagwright tenants list; dagwright tenants update NAME --status active';
  elsif started.problem = 'tier_too_low' then
    raise exception 'workflow "%" needs a tenant of a higher tier', workflow_id using errcode = '55000', hint = 'see minTier of its definition';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again.
create or replace function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
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

-- src/db/functions/unlock.sql
create or replace function dagwright.unlock_pools_v1(pools text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(pools)
$$;

-- Unlocks the jobs of every pool that no worker has noted as its own: a worker may die before it can note one.
create or replace function dagwright.unlock_lost_pools_v1() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(array(select distinct locked_by from graphile_worker._private_jobs
    where locked_by is not null and locked_by not in (select unnest(pool_ids) from dagwright.workers)))
$$;

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
grant execute on function dagwright.start_workflow(text, jsonb, text, int, jsonb), dagwright.cancel_execution(uuid, text),
  dagwright.pause_execution(uuid), dagwright.resume_execution(uuid), dagwright.complete_callback(text, jsonb, jsonb),
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text) to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text) to dagwright_tenant;
