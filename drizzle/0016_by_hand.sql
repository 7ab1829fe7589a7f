-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/answer.sql
-- Answers: what someone outside sends, once, to a task that waits for it. Each has a key, 32 bytes that name it among those of its
-- kind of wait; a callback's is the SHA-256 of its one-time token, and nothing else of the token is kept.
--   B1  The key is known before the call goes out; an answer that comes before its task waits is kept for it.
--   B2  The first answer of a task counts; later ones, and answers to a task that has ended, change nothing.
--   B3  Lock order: execution, task, answer.
--   B4  Who gave the answer that counts is in the audit trail, what it said is not.

-- Makes a key known for a running attempt; false when it is no longer the caller's. Its time runs from here on.
create or replace function dagwright.open_answer_v1(x uuid, task text, idx int, f bigint, wait dagwright.wait_kind, key bytea,
  timeout_ms bigint, beat_ms bigint)
returns boolean language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
begin
  perform from dagwright.workflow_executions where id = x for no key update;
  now_ := clock_timestamp();
  -- An error that came was taken by an earlier attempt; this one waits for an answer of its own.
  delete from dagwright.task_callbacks
    where workflow_execution_id = x and task_id = task and map_index = idx and waiting_on = wait and error is not null;
  insert into dagwright.task_callbacks (token_hash, waiting_on, tenant_id, workflow_execution_id, task_id, map_index, created_at,
    times_out_at, expires_at, heartbeat_ms)
  select key, wait, t.tenant_id, x, task, idx, now_, now_ + timeout_ms * interval '1 millisecond',
    now_ + least(timeout_ms, beat_ms) * interval '1 millisecond', beat_ms
  from dagwright.task_executions t
  where t.workflow_execution_id = x and t.task_id = task and t.map_index = idx and t.status = 'running' and t.fence = f
  on conflict do nothing;
  -- Sent again because its answer was lost, it finds its own row.
  return found or exists (select from dagwright.task_callbacks where token_hash = key and waiting_on = wait);
end $$;

-- What an answer brings. what: 'output', 'error' or 'heartbeat'. Returns 'accepted', 'already_completed' or 'expired' (its task
-- has ended or timed out); null where there is no such key. The caller's role must see the rows (RLS).
create or replace function dagwright.answer_v1(wait dagwright.wait_kind, key bytea, what text, value jsonb) returns text
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  answer record;
  execution record;
  waiting record;
  now_ timestamptz;
begin
  select tenant_id, workflow_execution_id as e, task_id, map_index into answer from dagwright.task_callbacks
    where token_hash = key and waiting_on = wait;
  if not found then return null; end if;
  select status, priority, paused_at into execution from dagwright.workflow_executions where id = answer.e for no key update;
  select status, waiting_on into waiting from dagwright.task_executions
    where workflow_execution_id = answer.e and task_id = answer.task_id and map_index = answer.map_index for no key update;
  now_ := clock_timestamp();
  if exists (select from dagwright.task_callbacks where workflow_execution_id = answer.e and task_id = answer.task_id
      and map_index = answer.map_index and waiting_on = wait and completed_at is not null) then
    return 'already_completed';
  end if;
  if waiting.status in ('completed', 'failed', 'skipped', 'cancelled') or execution.status not in ('running', 'paused')
     or not exists (select from dagwright.task_callbacks where token_hash = key and expires_at > coalesce(execution.paused_at, now_)) then
    return 'expired';
  end if;
  if what = 'heartbeat' then
    update dagwright.task_callbacks set expires_at = least(times_out_at,
        coalesce(execution.paused_at, now_) + heartbeat_ms * interval '1 millisecond')
      where token_hash = key and heartbeat_ms is not null;
    return 'accepted';
  end if;
  update dagwright.task_callbacks set completed_at = now_, output = case what when 'output' then coalesce(value, 'null') end,
    error = case what when 'error' then value end where token_hash = key;
  perform dagwright.audit_v1(answer.tenant_id, wait::text || 's.answer', 'executions', answer.e::text, null,
    jsonb_build_object('taskId', answer.task_id, 'mapIndex', nullif(answer.map_index, -1), 'part', what));
  if waiting.status = 'waiting' and waiting.waiting_on = wait then
    update dagwright.task_executions set wake_at = null, held_wake_at = null, ready_at = now_
      where workflow_execution_id = answer.e and task_id = answer.task_id and map_index = answer.map_index and ready_at is null;
    if found and execution.status = 'running' then
      perform dagwright.enqueue_v1(answer.e, array[answer.task_id], array[answer.map_index], 1, execution.priority);
    end if;
  end if;
  return 'accepted';
end $$;

-- The same for callbacks, as the release before calls them.
create or replace function dagwright.open_callback_v1(x uuid, task text, idx int, f bigint, hash bytea, timeout_ms bigint, heartbeat_ms bigint)
returns boolean language sql as $$
  select dagwright.open_answer_v1(x, task, idx, f, 'callback', hash, timeout_ms, heartbeat_ms)
$$;
create or replace function dagwright.answer_callback_v1(hash bytea, kind text, value jsonb) returns text language sql as $$
  select dagwright.answer_v1('callback', hash, kind, value)
$$;

-- For other services, in their own transaction: answers a callback of the current tenant. Give output or error ({ code,
-- message }), not both; neither: the output null. Returns as answer_v1.
create or replace function dagwright.complete_callback(token text, output jsonb default null, error jsonb default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  if output is not null and error is not null then
    raise exception 'complete_callback takes output or error, not both' using errcode = '22023';
  end if;
  if pg_column_size(coalesce(output, error)) > 1000000 then
    raise exception 'the output of a callback may have 1 MB' using errcode = '22023';
  end if;
  return dagwright.answer_v1('callback', sha256(convert_to(token, 'UTF8')), case when error is null then 'output' else 'error' end,
    coalesce(output, error));
end $$;

-- Postpones the end of a wait that was asked to beat: the callback of the current tenant is still coming.
create or replace function dagwright.heartbeat_callback(token text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  return dagwright.answer_v1('callback', sha256(convert_to(token, 'UTF8')), 'heartbeat', null);
end $$;

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

-- Says of an execution that was started by hand who did it: the start itself is recorded for many at once, under the engine's name.
-- Of a start that is sent again after its answer was lost nothing is said twice.
create or replace function dagwright.audit_start_v1(tenant uuid, execution uuid, actor text, address text, user_agent text) returns boolean
language plpgsql as $$
declare
  before constant text[] := array[current_setting('app.actor', true), current_setting('app.address', true), current_setting('app.user_agent', true)];
begin
  if exists (select from dagwright.audit_logs a where a.tenant_id = tenant and a.resource_type = 'executions' and a.resource_id = execution::text
      and a.action = 'executions.start') then
    return false;
  end if;
  perform set_config('app.actor', actor, true), set_config('app.address', coalesce(address, ''), true),
    set_config('app.user_agent', coalesce(user_agent, ''), true);
  perform dagwright.audit_v1(tenant, 'executions.start', 'executions', execution::text, null,
    (select jsonb_build_object('workflowId', e.workflow_id, 'revision', e.revision, 'triggerType', e.trigger_type)
     from dagwright.workflow_executions e where e.id = execution));
  perform set_config('app.actor', coalesce(before[1], ''), true), set_config('app.address', coalesce(before[2], ''), true),
    set_config('app.user_agent', coalesce(before[3], ''), true);
  return true;
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
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  tenant constant uuid := dagwright.current_tenant();
begin
  select r.id, r.problem into execution_id, problem from dagwright.schedules s
  cross join lateral dagwright.start_executions_v1(s.tenant_id, jsonb_build_array(jsonb_build_object('i', 0, 'id', execution,
    'workflowId', s.workflow_id, 'revision', revision, 'input', s.input, 'priority', s.priority, 'triggerType', 'schedule',
    'trigger', jsonb_build_object('scheduledAt', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'scheduleId', s.id, 'scheduleName', s.name, 'runNow', true), 'createdBy', dagwright.current_actor()))) r
  where s.id = schedule and s.tenant_id = tenant;
  if not found then return; end if;
  if problem is null then
    perform dagwright.audit_v1(tenant, 'schedules.run', 'schedules', schedule::text, null, jsonb_build_object('executionId', execution_id));
  end if;
  return next;
end $$;
