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
-- message }), not both, of at most 1,000,000 bytes; neither: the output null. Returns as answer_v1.
create or replace function dagwright.complete_callback(token text, output jsonb default null, error jsonb default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform dagwright.current_tenant();
  if output is not null and error is not null then
    raise exception 'complete_callback takes output or error, not both' using errcode = '22023';
  end if;
  if octet_length(output::text) > 1000000 then perform dagwright.refuse_size_v1('the output', 1000000); end if;
  if octet_length(error::text) > 1000000 then perform dagwright.refuse_size_v1('the error', 1000000); end if;
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
--   A3  What is told of the one who acts is short, whatever a session sets.
-- Who acts is told by app.actor, app.address and app.user_agent of the transaction; without, it is the login.

create or replace function dagwright.current_actor() returns text language sql stable as $$
  select coalesce(nullif(left(current_setting('app.actor', true), 200), ''), 'sql:' || session_user)
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
    audit_v1.new_values, nullif(left(current_setting('app.address', true), 100), ''), nullif(left(current_setting('app.user_agent', true), 501), ''));
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

-- src/db/functions/claim.sql
-- Claims for each entry the first task of its list that is ready. p: { w, c: [{ i, e, l: [[task, index], …] }] }.
-- Returns per claimed entry its place in the list. Nothing comes back for an entry of which nothing was ready.
-- An execution that somebody has locked is passed by: its entry comes back with k null.
-- A suspect starts only when enter_v1 says so; one that has lost more workers than it may is not tried again (core/recovery.ts).
create or replace function dagwright.claim_v2(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  w constant uuid := p->>'w';
  c record;
  l record;
  now_ timestamptz;
begin
  for c in select (o.value->>'i')::int as i, (o.value->>'e')::uuid as e, o.value->'l' as l
           from jsonb_array_elements(p->'c') o order by 2, 1 loop
    perform from dagwright.workflow_executions where id = c.e and status = 'running' for no key update skip locked;
    if not found then
      if exists (select from dagwright.workflow_executions where id = c.e and status = 'running') then
        i := c.i; k := null; t := null; return next;
      end if;
      continue;
    end if;
    now_ := clock_timestamp();
    for l in select o.ordinality::int - 1 as k, o.value->>0 as t, (o.value->>1)::int as m
             from jsonb_array_elements(c.l) with ordinality o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = c.e and u.task_id = l.t and u.map_index = l.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := c.i; k := l.k; t := l.t; m := l.m;
        return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;

-- src/db/functions/finish.sql
-- Ends an execution whose tasks have all ended (or that could not be opened: from 'pending').
-- p: [{ e, from, status, out, err, cwe }]. Returns those that this call ended, and (is_locked) those that somebody has locked, which it
-- passed by.
create or replace function dagwright.finish_v2(p jsonb) returns table (e uuid, is_locked boolean)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  now_ timestamptz;
begin
  for x in select r.* from jsonb_to_recordset(p) as r(e uuid, "from" dagwright.execution_status, status dagwright.execution_status, out jsonb, err jsonb, cwe boolean) order by r.e loop
    perform from dagwright.workflow_executions o where o.id = x.e for no key update skip locked;
    if not found then
      if exists (select from dagwright.workflow_executions o where o.id = x.e and o.status = x."from") then
        e := x.e; is_locked := true; return next;
      end if;
      continue;
    end if;
    now_ := clock_timestamp();
    update dagwright.workflow_executions o set status = x.status, output = x.out, error = x.err, completed_at = now_, deadline_at = null,
      completed_with_errors = coalesce(x.cwe, false),
      duration_ms = (extract(epoch from now_ - coalesce(o.started_at, o.created_at)) * 1000)::bigint
    where o.id = x.e and o.status = x."from" and o.open_tasks = 0;
    if found then e := x.e; is_locked := false; return next; end if;
  end loop;
end $$;

-- src/db/functions/jobs.sql
-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create or replace function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. With turns.sql the only way into graphile's tables; runs as the owner of both schemas.
-- Jobs that wait for a permit cannot be taken before a pass of turns.sql gives them one; add_jobs_v1 is of the release before.
create or replace function dagwright.add_jobs_v2(payloads json[], priority int, waits_for_permits boolean) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, case when waits_for_permits then now() + interval '100 years' end, 32767, null,
      (10 - priority + case when waits_for_permits then 100 else 0 end)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- Wakes a worker with this payload, but not before so many milliseconds.
create or replace function dagwright.add_later_job_v1(payload json, priority int, ms float8) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[('dagwright', payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs, each with a list and the tenant (`o`: see turns.sql).
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
  owner_ record;
begin
  if n = 0 then return; end if;
  select o.tenant_id as id, t.max_running_tasks is not null as waits_for_permits into owner_
    from dagwright.workflow_executions o cross join lateral (select max_running_tasks from dagwright.tenants where id = o.tenant_id offset 0) t
    where o.id = e;
  perform dagwright.add_jobs_v2(array(
    select json_build_object('e', e, 'o', owner_.id, 't', json_agg(json_build_array(ts[k], ms[k]) order by k))
    from generate_series(1, n) as k group by (k - 1) / size order by (k - 1) / size), priority, owner_.waits_for_permits);
end $$;

-- Hands an execution to the queue: it is opened, or concluded, by whoever takes the job.
create or replace function dagwright.enqueue_execution_v1(e uuid) returns void
language sql as $$
  select dagwright.add_jobs_v2(array[json_build_object('e', o.id, 'o', o.tenant_id)], o.priority, t.max_running_tasks is not null)
  from dagwright.workflow_executions o join dagwright.tenants t on t.id = o.tenant_id where o.id = e
$$;

-- src/db/functions/locked.sql
-- Looks at executions that somebody has locked: a caller's own transaction, an operator's, another worker's. What needs one of them was
-- passed by, and goes again when it is free (db/protocol/locked-executions.ts).
--   L1  A look is in nobody's way: it takes the lock within a block that is undone at once, and its commit waits for no disk.
--   L2  One that is gone is not locked.

-- Those of these executions that are locked now. Waits for none.
create or replace function dagwright.locked_executions_v1(ids uuid[]) returns uuid[]
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  free uuid[];
begin
  perform set_config('synchronous_commit', 'off', true);
  begin
    free := array(select o.id from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked);
    raise 'undo' using errcode = 'DW002';
  exception when sqlstate 'DW002' then null;
  end;
  return array(select o.id from dagwright.workflow_executions o where o.id = any(ids) and not o.id = any(free));
end $$;

-- Waits until nobody has the execution locked, `most_ms` at most; false: somebody still has.
create or replace function dagwright.await_execution_v1(x uuid, most_ms int) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true), set_config('lock_timeout', most_ms::text, true);
  begin
    perform from dagwright.workflow_executions o where o.id = x for no key update;
    raise 'undo' using errcode = 'DW002';
  exception
    when sqlstate 'DW002' then return true;
    when lock_not_available then return false;
  end;
end $$;

-- src/db/functions/open.sql
-- Opens pending executions: inserts their task rows and claims what the lane goes on with. Set-based: what a statement
-- costs to begin is paid once per batch.
-- x: [{ e, deadline (seconds or null), n (rows), rows: [{ t, ty, p: pending edges, ea, st, c: 1 claimed for this worker,
--   2 ready }] }]. Returns e, and when it started, for each execution that this call opened; with `at` null those that
--   somebody has locked, which it passed by; others had been opened before.
create or replace function dagwright.open_v2(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  free uuid[];
  opened uuid[];
  group_ record;
begin
  free := array(select o.id from dagwright.workflow_executions o
    where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) order by o.id for no key update skip locked);
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set status = 'running', started_at = now_, open_tasks = q.n,
      deadline_at = now_ + q.deadline * interval '1 second'
    from jsonb_to_recordset(x) as q(e uuid, deadline float8, n int)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.id = any(free) and h.status = 'pending' offset 0) l
    where o.ctid = l.tid returning o.id)
  select array_agg(id) into opened from u;
  if cardinality(free) < jsonb_array_length(x) then
    return query select o.id, null::float8 from dagwright.workflow_executions o
      where o.id in (select q.e from jsonb_to_recordset(x) as q(e uuid)) and not o.id = any(free) and o.status = 'pending';
  end if;
  if opened is null then return; end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, tenant_id, task_type, pending_edges, early,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select o.id, r.t, o.tenant_id, r.ty, r.p, coalesce(r.ea, 0), coalesce(r.st, false),
    case when r.c = 1 then 'running'::dagwright.task_status else 'pending' end, (r.c is not distinct from 1)::int,
    (r.c is not distinct from 1)::int, case when r.c = 1 then w end, case when r.c = 1 then now_ end,
    case when r.c = 1 then 0 end, case when r.c = 2 then now_ end
  from jsonb_to_recordset(x) as q(e uuid, rows jsonb)
  join dagwright.workflow_executions o on o.id = q.e,
  jsonb_to_recordset(q.rows) as r(t text, ty text, p int, ea smallint, st boolean, c int)
  where q.e = any(opened);
  for group_ in
    select o.id, o.priority, array_agg(t.t) as ts
    from jsonb_to_recordset(x) as q(e uuid, ready boolean, rows jsonb)
    join dagwright.workflow_executions o on o.id = q.e, jsonb_to_recordset(q.rows) as t(t text, c int)
    where q.ready and q.e = any(opened) and t.c = 2 group by o.id, o.priority
  loop
    perform dagwright.enqueue_v1(group_.id, group_.ts, array_fill(-1, array[cardinality(group_.ts)]), slots, group_.priority);
  end loop;
  return query select unnest(opened), (extract(epoch from now_) * 1000)::float8;
end $$;

-- src/db/functions/pause.sql
-- Pauses an execution of the current tenant: what runs may end, nothing else begins. The deadline and the time of callbacks stand
-- still; timers that come due meanwhile fire when it is resumed.
-- Returns its status afterwards: 'paused', or the terminal status it has; null where there is none.
--   P1  No claim after the commit: every claim is written under the execution's lock, where it sees the status.
--   P2  No wake-up is lost: what becomes ready or due meanwhile is kept in its row, and resume, under the same lock, wakes it.
create or replace function dagwright.pause_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running') then
    update dagwright.task_executions set held_wake_at = wake_at, wake_at = null
      where workflow_execution_id = execution_id and wake_at is not null and status in ('waiting', 'retrying');
    update dagwright.workflow_executions set status = 'paused', paused_at = clock_timestamp() where id = execution_id;
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.pause', 'executions', execution_id::text,
      jsonb_build_object('status', now_status), jsonb_build_object('status', 'paused'));
    now_status := 'paused';
  end if;
  return now_status;
end $$;

-- Lets a paused execution of the current tenant go on. Returns its status afterwards: 'running' (or 'pending', where it had not
-- been opened), or the terminal status it has; null where there is none. One that is not paused stays as it is.
create or replace function dagwright.resume_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  x record;
  now_ timestamptz;
  slots constant int := 32;
  ts text[];
  ms int[];
begin
  select id, status, priority, paused_at, started_at, open_tasks, run_at into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null and dagwright.wait_in_pause_v1(waiting_on) = 'stands_still';
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when dagwright.wait_in_pause_v1(waiting_on) = 'stands_still' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.resume', 'executions', execution_id::text,
    jsonb_build_object('status', 'paused'), jsonb_build_object('status', case when x.started_at is null then 'pending' else 'running' end));
  if x.run_at is not null then
    null; -- start_due_v1 wakes it.
  elsif x.started_at is null or x.open_tasks = 0 then
    perform dagwright.enqueue_execution_v1(execution_id);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;

-- src/db/functions/permits.sql
-- Permits for calls to a limited service, for one worker, shared out between users (tenants): `users[i]` makes the call `wanted[i]`. All
-- else as exchange_permits_v1 (services.sql), which is of the release before.
--   F1  While another user waits that has less than its share, nobody gets more than that: the permits in parts as equal as can be, and
--       of a rate's last starts (1,000 at most) likewise. Who waits is who was refused within 3 s.
--   F2  Who holds every permit but the last does not get that one, where another user has asked within ten minutes: a call in its name
--       that never ends keeps no other out. Of a single permit nothing can be kept back.
--   F3  Of those that ask together, who has least goes first.
-- The row of service_limits keeps who asked, and when, and when it was refused: { user: [asked, refused] } in seconds, the 100 newest.
create or replace function dagwright.exchange_permits_v2(service text, worker uuid, released uuid[], wanted uuid[], users text[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  seconds int;
  free int;
  start_ timestamptz;
  want record;
  given int := 0;
  seen jsonb;
  holds jsonb := '{}';
  recent jsonb := '{}';
  others text[];
  waiting text[];
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
  seconds := extract(epoch from now_);
  seen := row_.users;
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}'), row_.max_concurrency - coalesce(sum(h.n), 0) into holds, free from (
      select coalesce(p.used_by, '') as used_by, count(*) as n from dagwright.service_permits p where p.service_id = service group by 1) h;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  select coalesce(array_agg(s.key) filter (where (s.value->>1)::int > seconds - 3), '{}') into waiting from jsonb_each(seen) s;
  if row_.rate_limit is not null and (cardinality(waiting) > 0 or (select count(distinct u) > 1 from unnest(users) u)) then
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}') into recent from (
      select coalesce(s.used_by, '') as used_by, count(*) as n
      from generate_series(greatest(0, row_.starts - least(row_.rate_limit, 1000)), row_.starts - 1) k
      join dagwright.service_starts s on s.service_id = service and s.slot = k % row_.rate_limit
      where s.starts_at > now_ - row_.rate_interval_ms * interval '1 millisecond' group by 1) h;
  end if;
  for want in
    select w.id, w.user_ from (
      select u.id, u.user_, u.place, row_number() over (partition by u.user_ order by u.place)
        + coalesce((holds->>u.user_)::int, 0) + coalesce((recent->>u.user_)::int, 0) as has
      from unnest(wanted, users) with ordinality as u(id, user_, place)) w order by w.has, w.place
  loop
    permit_id := want.id;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or (free > 0 and dagwright.is_fair_share_v1(holds, waiting, want.user_, row_.max_concurrency));
    -- F2.
    if granted and held and free = 1 and row_.max_concurrency > 1 and (holds->>want.user_)::int >= row_.max_concurrency - 1 then
      granted := not exists (select from jsonb_each(seen) s where s.key <> want.user_ and (s.value->>0)::int > seconds - 600);
    end if;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted and not dagwright.is_fair_share_v1(recent, waiting, want.user_, least(row_.rate_limit, 1000)) then
        granted := false;
        wait_ms := greatest(wait_ms, least(1000, row_.rate_interval_ms));
      end if;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at, used_by)
        values (service, (row_.starts + given) % row_.rate_limit, start_, want.user_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at, used_by = excluded.used_by;
        given := given + 1;
        recent := recent || jsonb_build_object(want.user_, coalesce((recent->>want.user_)::int, 0) + 1);
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at, used_by)
        values (want.id, service, worker, now_, want.user_);
      free := free - 1;
      holds := holds || jsonb_build_object(want.user_, coalesce((holds->>want.user_)::int, 0) + 1);
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and free <= 0 and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    -- Written once a minute for who is not refused, once a second for who is.
    seen := seen || jsonb_build_object(want.user_, case when granted then jsonb_build_array(seconds / 60 * 60, 0)
      else jsonb_build_array(seconds / 60 * 60, seconds) end);
    held := held and granted;
    return next;
  end loop;
  if (select count(*) > 100 from jsonb_object_keys(seen)) then
    select jsonb_object_agg(s.key, s.value) into seen from (
      select e.key, e.value from jsonb_each(seen) e order by (e.value->>0)::int desc, (e.value->>1)::int desc limit 100) s;
  end if;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at, users = seen
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at, l.users)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at, seen));
end $$;

-- Whether this user may have one more of `total`: it has less than its share, or nobody waits that has.
create or replace function dagwright.is_fair_share_v1(has jsonb, waiting text[], user_ text, total int) returns boolean
language plpgsql immutable as $$
declare
  share int;
begin
  if waiting <@ array[user_] then return true; end if;
  select ceil(total::numeric / greatest(1, count(distinct k)))::int into share
    from (select jsonb_object_keys(has) as k union select unnest(waiting) union select user_) u;
  return coalesce((has->>user_)::int, 0) < share
    or not exists (select from unnest(waiting) w where w <> user_ and coalesce((has->>w)::int, 0) < share);
end $$;

-- src/db/functions/queue-state.sql
-- Jobs that are due and not taken, and for how long the oldest has been; looks at no more than `most` of them. A job with a turn has
-- that as its run_at; it was due when it was added.
create or replace function dagwright.queue_state_v1(most int) returns table (waiting int, oldest_seconds float8)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(j.created_at)), 0)::float8
  from (select created_at from graphile_worker._private_jobs where is_available and run_at <= clock_timestamp() order by priority, run_at limit most) j
$$;

-- src/db/functions/reconcile.sql
-- Re-enqueues what has been an orphan for 30 seconds, and counts it: in a sound engine it finds nothing.
create or replace function dagwright.reconcile_v1(slots int) returns int
language plpgsql set enable_seqscan = off as $$
declare
  x record;
  n int := 0;
  stale constant timestamptz := clock_timestamp() - interval '30 seconds';
begin
  if not exists (select from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       where t.ready_at < stale and o.status = 'running')
     and not exists (select from dagwright.workflow_executions where status = 'pending' and run_at is null and created_at < stale)
     and not exists (select from dagwright.workflow_executions where status = 'running' and open_tasks = 0) then
    return 0;
  end if;
  for x in
    select o.id, o.priority, o.status, o.open_tasks, v.ts, v.ms from (
      select execution_id, array_agg(task_id) filter (where task_id is not null) as ts,
        array_agg(map_index) filter (where task_id is not null) as ms
      from dagwright.v_orphans group by execution_id) v
    join dagwright.workflow_executions o on o.id = v.execution_id
    where (o.status = 'pending' and o.created_at < stale) or (o.status = 'running' and o.open_tasks = 0 and o.started_at < stale)
      or exists (select from dagwright.task_executions t where t.workflow_execution_id = o.id and t.ready_at < stale)
    for no key update of o skip locked
  loop
    if x.status = 'pending' or x.open_tasks = 0 then
      perform dagwright.enqueue_execution_v1(x.id);
      n := n + 1;
    else
      perform dagwright.enqueue_v1(x.id, x.ts, x.ms, slots, x.priority);
      n := n + cardinality(x.ts);
    end if;
  end loop;
  if n > 0 then
    insert into dagwright.engine_counters (name, value) values ('reconciler_repairs', n)
      on conflict (name) do update set value = engine_counters.value + excluded.value;
  end if;
  return n;
end $$;

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
        when 'too_many_starts' then 'the tenant has started as many executions within a minute as it may'
        when 'too_many_waiting' then 'the tenant has as many executions waiting as it may' else r.problem end,
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

-- src/db/functions/settle-children.sql
-- Chapters of settle_v2 (settle.sql) about what a lane goes on with. Each is called once per execution that has any, under that
-- one's planner settings.

-- Counts the edges of settled tasks down, and wakes the children whose last edge this was (S3, S4). kind: claim (i: the lane,
-- or -1 for a pure task beyond them) or ready.
create or replace function dagwright.wake_children_v1(worker uuid, execution_id uuid, edges jsonb, settled int[], lanes int[], extra int,
  now_ timestamptz)
returns table (kind text, i int, t text, fence bigint, attempt int, recoveries int)
language plpgsql as $$
declare
  child record;
  lane int;
  is_woken boolean;
begin
  for child in
    select edge.t, count(*)::int as ended, (sum((edge.k = 1)::int) > 0) as ok, (sum((edge.k = 2)::int) > 0) as bad, bool_or(edge.pure) as pure
    from jsonb_to_recordset(edges) as edge(i int, t text, k int, pure boolean) where edge.i = any(settled) group by edge.t
  loop
    t := child.t;
    lane := lanes[1];
    if lane is null and child.pure and extra > 0 then lane := -1; end if;
    if lane is not null then
      update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended, status = 'running',
        fence = c.fence + 1, attempt_number = c.attempt_number + 1, worker_id = worker, started_at = now_, queued_ms = 0
      where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1 and c.status = 'pending' and c.ready_at is null
        and (c.pending_edges <= child.ended or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0))
      returning c.fence, c.attempt_number, c.recoveries into fence, attempt, recoveries;
      if found then
        kind := 'claim'; i := lane; return next;
        if lane = -1 then extra := extra - 1; else lanes := lanes[2:]; end if;
        continue;
      end if;
    end if;
    update dagwright.task_executions c set pending_edges = c.pending_edges - child.ended,
      ready_at = case when c.status = 'pending' and c.ready_at is null and (c.pending_edges <= child.ended
        or (child.ok and c.early & 1 > 0) or (child.bad and c.early & 2 > 0)) then now_ else c.ready_at end
    where c.workflow_execution_id = execution_id and c.task_id = child.t and c.map_index = -1
      and c.status in ('pending', 'running', 'waiting', 'retrying')
    returning c.ready_at = now_ into is_woken;
    if is_woken then kind := 'ready'; return next; end if;
  end loop;
end $$;

-- Claims for each of these lanes the first task of its own list that is ready. settles: those of the execution.
create or replace function dagwright.claim_listed_v1(worker uuid, execution_id uuid, settles jsonb, lanes int[], now_ timestamptz)
returns table (i int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  settle record;
  listed record;
begin
  for settle in select s.i, s.next from jsonb_to_recordset(settles) as s(i int, next jsonb) where s.i = any(lanes) and s.next is not null loop
    for listed in select o.value->>0 as t, (o.value->>1)::int as m from jsonb_array_elements(settle.next) o loop
      update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = worker, ready_at = null,
        attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
        started_at = case when u.recoveries < suspect_recoveries then now_ end,
        queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
      where u.workflow_execution_id = execution_id and u.task_id = listed.t and u.map_index = listed.m
        and coalesce(isfinite(u.ready_at), false) and u.status in ('pending', 'retrying', 'waiting')
      returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
      if found then
        i := settle.i; t := listed.t; m := listed.m; return next;
        exit;
      end if;
    end loop;
  end loop;
end $$;

-- src/db/functions/settle-closure.sql
-- Chapters of settle_v2 (settle.sql) about what follows from an end far away, computed under the execution's lock
-- (engine/settle/closure.ts). Each is called once per execution, under that one's planner settings.

-- Writes the ends that are already determined, as one set, and those of the items of open fan-outs among them. They get the
-- numbers from seq on. closed: how many fewer tasks are open.
create or replace function dagwright.end_further_v1(execution_id uuid, tenant uuid, further jsonb, now_ timestamptz, seq bigint,
  out closed int, out failures int, out next_seq bigint)
language plpgsql as $$
declare
  fan_out record;
  items record;
begin
  update dagwright.task_executions u set status = further_end."to", reason = coalesce(further_end.r, u.reason), fence = u.fence + 1,
    ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + further_end.place
  from (select o.ordinality as place, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
        from jsonb_array_elements(further) with ordinality o) further_end
  where u.workflow_execution_id = execution_id and u.task_id = further_end.t and u.map_index = -1
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  get diagnostics closed = row_count;
  failures := (select count(*) from jsonb_array_elements(further) o where o.value->>'to' = 'failed');
  next_seq := seq + jsonb_array_length(further) + 1;
  for fan_out in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as cancels
                 from jsonb_array_elements(further) o where o.value->>'items' is not null loop
    select * into items from dagwright.abandon_items_v1(execution_id, tenant, fan_out.t, fan_out.cancels, now_, next_seq);
    closed := closed - items.still_running;
    next_seq := items.next_seq;
  end loop;
end $$;

-- Makes ready the tasks whose wait winds down, so that each tells what it waits for; returned are those that were not ready.
create or replace function dagwright.wind_down_v1(execution_id uuid, tasks text[], now_ timestamptz)
returns text[] language sql as $$
  with woken as (
    update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
    where u.workflow_execution_id = execution_id and u.task_id = any(tasks) and u.map_index = -1 and u.status = 'waiting' and u.ready_at is null
    returning u.task_id)
  select coalesce(array_agg(task_id), '{}') from woken
$$;

-- src/db/functions/settle-completed.sql
-- Settles completions whose edges all succeed, the common case, set-based over all executions of the batch. Keeps S1 to S5 of
-- settle.sql. A fast path: what it does not know is not sent to it (db/protocol/settle.ts), and it does not learn more.
-- Pure successors that were performed with completions (o) stand last in s: they are written too, and counted; edges are then those
-- of the last of them. Where one cannot be written nothing is changed, and the batch is sent without them (SQLSTATE DW001).
-- ids: the executions; s: completions, d: edges, by keys that db/protocol/settle-keys.ts declares; lanes: ordinals that want to
-- go on; extra: pure tasks that may be claimed beyond them. An execution that somebody has locked is passed by. Result rows: at (the
-- database's time) | lost | claim | drained, finished, locked (i: place in ids).
create or replace function dagwright.settle_completed_v2(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  suspect_recoveries constant int := 2;
  now_ timestamptz;
  successors constant int := case when s->-1 ? 'o' then (select count(*) from jsonb_to_recordset(s) as q(o int) where q.o is not null) else 0 end;
  written int;
  found_ int[];
  found_x int[];
  listed bool[];        -- the lane has a list of its own
  free int[];           -- lanes that want to go on, by execution
  free_x int[];
  used int[] := '{}';
  ready_x int[] := '{}';
  ready_t text[] := '{}';
  seqs bigint[] := array_fill(null::bigint, array[cardinality(ids)]);  -- null: not locked by this call
  priorities int[] := array_fill(5, array[cardinality(ids)]);
  running bool[] := array_fill(false, array[cardinality(ids)]);
  opens int[] := array_fill(0, array[cardinality(ids)]);
  failed int[] := array_fill(0, array[cardinality(ids)]);
  r record;
begin
  for r in select array_position(ids, o.id) as x, o.next_seq, o.priority, o.status, o.open_tasks, o.failed_tasks from dagwright.workflow_executions o
           where o.id = any(ids) order by o.id for no key update skip locked loop
    seqs[r.x] := r.next_seq; priorities[r.x] := r.priority; running[r.x] := r.status = 'running';
    opens[r.x] := r.open_tasks; failed[r.x] := r.failed_tasks;
  end loop;
  now_ := clock_timestamp();
  kind := 'at'; at := extract(epoch from now_) * 1000; return next;
  if array_position(seqs, null) is not null then
    for r in select array_position(ids, o.id) as x from dagwright.workflow_executions o where o.id = any(ids) order by 1 loop
      if seqs[r.x] is null then
        kind := 'locked'; i := r.x; at := null; return next;
        ids[r.x] := null;
      end if;
    end loop;
  end if;

  with u as (
    update dagwright.task_executions u set status = 'completed', branch = q.b, winner = q.wn, input = coalesce(q.inp, u.input),
      output = q.out, error = null, part_errors = q.errs, resource_usage = coalesce(q.use, u.resource_usage),
      cost_usd = u.cost_usd + case when q.unk then null else coalesce(q.cost, 0) end,
      duration_ms = coalesce(u.duration_ms, 0) + q.dur, waiting_on = null,
      completed_at = now_, completed_seq = seqs[q.x] + q.k
    from (select q.*, row_number() over (partition by q.x order by q.i, q.o nulls first) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, o int, t text, f bigint, b text, wn text, inp jsonb, out jsonb, errs jsonb,
            cost numeric, unk boolean, dur bigint, use jsonb, nt text)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and h.status = 'running' and h.fence = q.f offset 0) l
    where q.o is null and u.ctid = l.tid
    returning q.i, q.x, q.nt is not null as listed)
  select array_agg(u.i), array_agg(u.x), array_agg(u.listed) into found_, found_x, listed from u;
  if successors > 0 then
    -- As if each had been claimed and had ended in the same moment. Nobody can have begun it: its only parent was ours.
    update dagwright.task_executions u set status = 'completed', branch = q.b, winner = q.wn, input = q.inp, output = q.out, duration_ms = q.dur,
      pending_edges = 0, fence = 1, attempt_number = 1, worker_id = w, started_at = now_, queued_ms = 0,
      completed_at = now_, completed_seq = seqs[q.x] + q.k
    from (select q.*, row_number() over (partition by q.x order by q.i, q.o nulls first) - 1 as k
          from jsonb_to_recordset(s) as q(i int, x int, o int, t text, b text, wn text, inp jsonb, out jsonb, dur bigint)) q
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.t and h.map_index = -1 and running[q.x] and h.status = 'pending' and h.ready_at is null and h.pending_edges = 1
      and h.fence = 0 and h.attempt_number = 0 offset 0) l
    where q.o is not null and u.ctid = l.tid;
    get diagnostics written = row_count;
    if written <> successors or cardinality(found_) is distinct from jsonb_array_length(s) - successors then
      raise 'a task is not as it has to be' using errcode = 'DW001';
    end if;
  elsif cardinality(found_) is distinct from jsonb_array_length(s) then
    return query select 'lost', q.i, q.t, -1, u.fence, null::int, null::int, u.status::text, null::float8
      from jsonb_to_recordset(s) as q(i int, x int, t text)
      left join dagwright.task_executions u on u.workflow_execution_id = ids[q.x] and u.task_id = q.t and u.map_index = -1
      where not coalesce(q.i = any(found_), false) and ids[q.x] is not null;
    if found_ is null then return; end if;
  end if;

  -- Children: counters go down; of those that wake, each lane of their execution takes one, whichever lane released it,
  -- those without a list first, and pure ones may be taken beyond.
  select array_agg(f.i order by f.x, f.listed, f.i), array_agg(f.x order by f.x, f.listed, f.i) into free, free_x
    from unnest(found_, found_x, listed) as f(i, x, listed) where f.i = any(lanes);
  for r in
    with c as (
      select e.x, e.t, count(*)::int as n, bool_or(e.pure) as pure
      from jsonb_to_recordset(d) as e(i int, x int, t text, pure boolean) where e.i = any(found_) group by e.x, e.t),
    k as (
      select c.*, l.tid, l.wakes from c cross join lateral (
        select h.ctid as tid, h.status = 'pending' and h.ready_at is null and (h.pending_edges <= c.n or h.early & 1 > 0) as wakes
        from dagwright.task_executions h where h.workflow_execution_id = ids[c.x] and h.task_id = c.t and h.map_index = -1
          and h.status in ('pending', 'running', 'waiting', 'retrying') offset 0) l),
    p as (
      select k.*, array_position(free_x, k.x) + row_number() over (partition by k.x, k.wakes order by k.t)::int - 1 as place from k),
    a as (select p.*, case when p.wakes and free_x[p.place] = p.x then free[p.place] end as lane from p),
    g as (
      select a.*, running[a.x] and a.wakes and (a.lane is not null or (a.pure and row_number() over (partition by a.wakes and a.pure and a.lane is null order by a.x) <= extra)) as claims from a)
    update dagwright.task_executions u set pending_edges = u.pending_edges - g.n,
      status = case when g.claims then 'running' else u.status end, fence = u.fence + g.claims::int,
      attempt_number = u.attempt_number + g.claims::int, worker_id = case when g.claims then w else u.worker_id end,
      started_at = case when g.claims then now_ else u.started_at end, queued_ms = case when g.claims then 0 else u.queued_ms end,
      ready_at = case when g.wakes and not g.claims then now_ else u.ready_at end
    from g where u.ctid = g.tid
    returning g.x, g.lane, g.wakes, g.claims, u.task_id, u.fence, u.attempt_number, u.recoveries
  loop
    if r.claims then
      kind := 'claim'; i := coalesce(r.lane, -r.x); t := r.task_id; m := -1;
      fence := r.fence; attempt := r.attempt_number; recoveries := r.recoveries; phase := null; at := null;
      return next;
      if r.lane is not null then used := used || r.lane; end if;
    elsif r.wakes and running[r.x] then
      ready_x := ready_x || r.x; ready_t := ready_t || r.task_id;
    end if;
  end loop;

  -- Lanes that got no child go on with the head of their list.
  for r in
    update dagwright.task_executions u set status = 'running', fence = u.fence + 1, worker_id = w, ready_at = null,
      attempt_number = u.attempt_number + (u.status <> 'waiting' and u.recoveries <= max_recoveries)::int,
      started_at = case when u.recoveries < suspect_recoveries then now_ end,
      queued_ms = coalesce(u.queued_ms, 0) + (extract(epoch from now_ - u.ready_at) * 1000)::bigint
    from jsonb_to_recordset(s) as q(i int, x int, nt text, nm int)
    cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.x]
      and h.task_id = q.nt and h.map_index = q.nm and coalesce(isfinite(h.ready_at), false) and h.status in ('pending', 'retrying', 'waiting') offset 0) l
    where running[q.x] and q.nt is not null and q.i = any(found_) and q.i = any(lanes) and not q.i = any(used) and u.ctid = l.tid
    returning q.i, u.task_id, u.map_index, u.fence, u.attempt_number, u.recoveries, u.waiting_on::text
  loop
    kind := 'claim'; i := r.i; t := r.task_id; m := r.map_index; fence := r.fence; attempt := r.attempt_number;
    recoveries := r.recoveries; phase := r.waiting_on; at := null;
    return next;
  end loop;

  if cardinality(ready_t) > 0 then
    for r in select y.x, array_agg(y.t) as ts from unnest(ready_x, ready_t) as y(x, t) group by y.x loop
      perform dagwright.enqueue_v1(ids[r.x], r.ts, array_fill(-1, array[cardinality(r.ts)]), slots, priorities[r.x]);
    end loop;
  end if;

  for r in
    with g as (
      select q.x, max(q.sent)::int as sent, count(*)::int as n, sum(q.cost) as cost, bool_or(q.unk) as unk,
        (array_agg(q.fin) filter (where q.fin is not null))[1] as fin
      from (select q.*, count(*) over (partition by q.x) as sent
            from jsonb_to_recordset(s) as q(i int, x int, cost numeric, unk boolean, fin jsonb)) q where q.i = any(found_) group by q.x),
    k as (
      select g.*, opens[g.x] = g.n and running[g.x] as drained,
        opens[g.x] = g.n and running[g.x] and g.fin is not null and failed[g.x] = 0 as ends from g)
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - k.n, next_seq = o.next_seq + k.sent,
      actual_cost_usd = o.actual_cost_usd + coalesce(k.cost, 0), cost_unknown = o.cost_unknown or coalesce(k.unk, false),
      concluded_by = case when k.drained and not k.ends then w end, status = case when k.ends then 'completed' else o.status end,
      output = case when k.ends then k.fin->'out' end, completed_at = case when k.ends then now_ end,
      deadline_at = case when k.ends then null else o.deadline_at end,
      duration_ms = case when k.ends then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from k where o.id = ids[k.x] returning k.x, k.drained, k.ends
  loop
    if r.drained then
      kind := case when r.ends then 'finished' else 'drained' end; i := r.x; at := null;
      return next;
    end if;
  end loop;
end $$;

-- src/db/functions/settle-fan-out.sql
-- Chapters of settle_v2 (settle.sql) about fan-outs, each called once in the life of one, under that one's planner settings.

-- A fan-out opens: the rows of the first items of its window; so many of them run on this worker, the rest are ready.
create or replace function dagwright.open_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, types jsonb, stays boolean,
  issued int, claimed int, now_ timestamptz)
returns void language sql as $$
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select execution_id, task, item, tenant, coalesce(types->>item, types->>0), stays,
    case when item < claimed then 'running'::dagwright.task_status else 'pending' end, (item < claimed)::int, (item < claimed)::int,
    case when item < claimed then worker end, case when item < claimed then now_ end, case when item < claimed then 0 end,
    case when item >= claimed then now_ end
  from generate_series(0, issued - 1) item
$$;

-- A fan-out can be collected: its open items are cancelled, those that were never issued get rows, and the task itself goes on
-- as running for a lane, or as ready. Ends get the numbers from seq on.
create or replace function dagwright.collect_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, issued int, total int,
  has_lane boolean, now_ timestamptz, seq bigint, out fence bigint, out attempt int, out recoveries int, out phase text)
language plpgsql as $$
declare
  suspect_recoveries constant int := 2;
begin
  update dagwright.task_executions u set status = 'cancelled', fence = u.fence + 1, ready_at = null, wake_at = null,
    waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq + item
  from dagwright.task_executions u, generate_series(issued, total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1 and issued < total;
  update dagwright.task_executions u set
    status = case when has_lane then 'running'::dagwright.task_status else 'waiting' end, fence = u.fence + has_lane::int,
    items_issued = u.items_total,
    worker_id = case when has_lane then worker else u.worker_id end,
    started_at = case when not has_lane then u.started_at when u.recoveries < suspect_recoveries then now_ end,
    ready_at = case when not has_lane then now_ end
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1
  returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
end $$;

-- A fan-out was ended with its execution's failure: no more items; what runs ends on its own, or (cancels) is cancelled. Ends get
-- the numbers from seq on; returned is the number after them, and how many items still run: each keeps the execution open.
create or replace function dagwright.abandon_items_v1(execution_id uuid, tenant uuid, task text, cancels boolean, now_ timestamptz,
  seq bigint, out next_seq bigint, out still_running int)
language plpgsql as $$
begin
  update dagwright.task_executions u set
    status = case when u.status = 'pending' then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when u.status = 'pending' then 'execution_failed' else u.reason end,
    fence = u.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and (u.status in ('pending', 'waiting', 'retrying') or (cancels and u.status = 'running'));
  select count(*) into still_running from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0 and u.status = 'running';
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq + item
  from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
  select seq + coalesce(u.items_total, 0) into next_seq from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
end $$;

-- src/db/functions/settle-one.sql
-- One completion with at most one child, alone in its batch: the step of a sequential run, with as few statements as it takes.
-- Keeps S1 to S5 of settle.sql; a fast path, as settle_completed_v2 is. The execution's counters are written first (its lock), and taken back where the settle is lost.
create or replace function dagwright.settle_one_v1(w uuid, e uuid, task text, f bigint, dur bigint, result jsonb, inp jsonb, cost numeric, use jsonb,
  child text, wants boolean, fin jsonb, out outcome text, out fence bigint, out attempt int, out recoveries int, out phase text,
  out claimed boolean, out ended text, out at float8)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  x record;
  c record;
begin
  update dagwright.workflow_executions o set open_tasks = o.open_tasks - 1, next_seq = o.next_seq + 1,
    actual_cost_usd = o.actual_cost_usd + coalesce(cost, 0) where o.id = e
  returning o.open_tasks, o.failed_tasks, o.next_seq, o.status, o.priority, o.started_at into x;
  now_ := clock_timestamp();
  at := extract(epoch from now_) * 1000;
  update dagwright.task_executions u set status = 'completed', output = result, input = coalesce(inp, u.input), error = null,
    resource_usage = coalesce(use, u.resource_usage), cost_usd = u.cost_usd + coalesce(cost, 0), duration_ms = coalesce(u.duration_ms, 0) + dur,
    waiting_on = null, completed_at = now_, completed_seq = x.next_seq - 1
  where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1 and u.status = 'running' and u.fence = f;
  if not found then
    update dagwright.workflow_executions o set open_tasks = o.open_tasks + 1, next_seq = o.next_seq - 1,
      actual_cost_usd = o.actual_cost_usd - coalesce(cost, 0) where o.id = e;
    outcome := 'lost';
    select u.fence, u.status into fence, phase from dagwright.task_executions u
      where u.workflow_execution_id = e and u.task_id = task and u.map_index = -1;
    return;
  end if;
  outcome := 'settled';
  if child is not null then
    update dagwright.task_executions u set pending_edges = u.pending_edges - 1, status = 'running', fence = u.fence + 1,
      attempt_number = u.attempt_number + 1, worker_id = w, started_at = now_, queued_ms = 0
    where wants and x.status = 'running' and u.workflow_execution_id = e and u.task_id = child and u.map_index = -1 and u.status = 'pending'
      and not coalesce(isfinite(u.ready_at), false) and (u.pending_edges <= 1 or u.early & 1 > 0)
    returning u.fence, u.attempt_number, u.recoveries into fence, attempt, recoveries;
    claimed := found;
    if not claimed then
      update dagwright.task_executions u set pending_edges = u.pending_edges - 1,
        ready_at = case when u.status = 'pending' and u.ready_at is null and (u.pending_edges <= 1 or u.early & 1 > 0) then now_ else u.ready_at end
      where u.workflow_execution_id = e and u.task_id = child and u.map_index = -1
        and u.status in ('pending', 'running', 'waiting', 'retrying')
      returning u.ready_at = now_ as woken into c;
      if c.woken and x.status = 'running' then perform dagwright.enqueue_v1(e, array[child], array[-1], 1, x.priority); end if;
    end if;
  end if;
  if x.open_tasks = 0 and x.status = 'running' then
    if fin is not null and x.failed_tasks = 0 then
      ended := 'finished';
      update dagwright.workflow_executions o set status = 'completed', output = fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - x.started_at) * 1000)::bigint where o.id = e;
    else
      ended := 'drained';
      update dagwright.workflow_executions o set concluded_by = w where o.id = e;
    end if;
  end if;
end $$;

-- src/db/functions/settle-sequential.sql
-- Settles completions of sequential runs, one of each execution, as settle_one_v1 does one: each goes on with its only child, or
-- ends its execution. Four statements for all. Keeps S1 to S5 of settle.sql. A fast path that knows nothing but this: where one
-- row is not as it has to be, or somebody has an execution locked, nothing is changed and the batch is sent another way
-- (SQLSTATE DW001).
-- Arrays run parallel to ids. The executions are locked first, without waiting, so that what is judged stays so.
-- costs: US dollars since the last checkpoint; children: what the lane goes on with; fins: { out }, where the execution ends.
-- Returns the database's time in milliseconds. A child was never begun, so its claim is the first: fence 1, attempt 1.
create or replace function dagwright.settle_sequential_v1(worker uuid, ids uuid[], tasks text[], fences bigint[], durations bigint[],
  outputs jsonb[], inputs jsonb[], costs numeric[], usages jsonb[], children text[], fins jsonb[]) returns float8
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  seqs bigint[];
  found_ int;
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(ids) then raise 'an execution is locked' using errcode = 'DW001'; end if;
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - 1, next_seq = o.next_seq + 1,
      actual_cost_usd = o.actual_cost_usd + coalesce(q.cost, 0),
      status = case when q.fin is null then o.status else 'completed' end,
      output = case when q.fin is null then o.output else q.fin->'out' end,
      completed_at = case when q.fin is not null then now_ end,
      deadline_at = case when q.fin is null then o.deadline_at end,
      duration_ms = case when q.fin is not null then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from unnest(ids, costs, fins) with ordinality as q(e, cost, fin, k)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.status = 'running'
      and case when q.fin is null then h.open_tasks > 1 else h.open_tasks = 1 and h.failed_tasks = 0 end offset 0) l
    where o.ctid = l.tid
    returning q.k, o.next_seq - 1 as seq)
  select array_agg(u.seq order by u.k) into seqs from u;
  if cardinality(seqs) is distinct from cardinality(ids) then raise 'an execution is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set status = 'completed', output = q.output, input = coalesce(q.input, u.input), error = null,
    resource_usage = coalesce(q.usage, u.resource_usage), cost_usd = u.cost_usd + coalesce(q.cost, 0),
    duration_ms = coalesce(u.duration_ms, 0) + q.duration, waiting_on = null,
    completed_at = now_, completed_seq = q.seq
  from unnest(ids, tasks, fences, durations, outputs, inputs, costs, usages, seqs)
    as q(e, task, fence, duration, output, input, cost, usage, seq)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = q.e
    and h.task_id = q.task and h.map_index = -1 and h.status = 'running' and h.fence = q.fence offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(ids) then raise 'a task is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set pending_edges = 0, status = 'running', fence = 1, attempt_number = 1, worker_id = worker,
    started_at = now_, queued_ms = 0
  from unnest(ids, children) as q(e, child)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = q.e
    and h.task_id = q.child and h.map_index = -1 and h.status = 'pending' and h.ready_at is null and h.pending_edges = 1
    and h.fence = 0 and h.attempt_number = 0 offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(array_remove(children, null)) then raise 'a child is not as it has to be' using errcode = 'DW001'; end if;
  return extract(epoch from now_) * 1000;
end $$;

-- src/db/functions/settle-successors.sql
-- As settle_sequential_v1, with what that does not know: pure successors that were performed with the settle, and branches and
-- winners. A function of its own, since its wider rows cost a plain batch 3 % (chain10_c64).
--
-- Parallel to ids: fences (of the attempts that are settled), counts (tasks that end), spent (US dollars since the last
-- checkpoint), children (what the lane goes on with), fins ({ out }, where the execution ends).
-- One element for each task that ends: at (place of its execution in ids, from 1), places (0: the one that is settled; above:
-- pure successors, in order, each the only child of the one before, which nobody else can have begun), tasks, and what they
-- leave behind.
-- Returns the database's time in milliseconds. A child was never begun, so its claim is the first: fence 1, attempt 1; a
-- successor leaves as if it had been claimed and had ended in the same moment.
create or replace function dagwright.settle_sequential_v2(worker uuid, ids uuid[], fences bigint[], counts int[], spent numeric[],
  children text[], fins jsonb[], at int[], places int[], tasks text[], durations bigint[], outputs jsonb[], inputs jsonb[],
  costs numeric[], usages jsonb[], branches text[], winners text[]) returns float8
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ timestamptz;
  seqs bigint[];
  found_ int;
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(ids) then raise 'an execution is locked' using errcode = 'DW001'; end if;
  now_ := clock_timestamp();
  with u as (
    update dagwright.workflow_executions o set open_tasks = o.open_tasks - q.count, next_seq = o.next_seq + q.count,
      actual_cost_usd = o.actual_cost_usd + coalesce(q.cost, 0),
      status = case when q.fin is null then o.status else 'completed' end,
      output = case when q.fin is null then o.output else q.fin->'out' end,
      completed_at = case when q.fin is not null then now_ end,
      deadline_at = case when q.fin is null then o.deadline_at end,
      duration_ms = case when q.fin is not null then (extract(epoch from now_ - o.started_at) * 1000)::bigint end
    from unnest(ids, counts, spent, fins) with ordinality as q(e, count, cost, fin, k)
    cross join lateral (select h.ctid as tid from dagwright.workflow_executions h where h.id = q.e and h.status = 'running'
      and case when q.fin is null then h.open_tasks > q.count else h.open_tasks = q.count and h.failed_tasks = 0 end offset 0) l
    where o.ctid = l.tid
    returning q.k, o.next_seq - q.count as seq)
  select array_agg(u.seq order by u.k) into seqs from u;
  if cardinality(seqs) is distinct from cardinality(ids) then raise 'an execution is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set status = 'completed', branch = q.branch, winner = q.winner, output = q.output,
    input = coalesce(q.input, u.input), error = null,
    resource_usage = coalesce(q.usage, u.resource_usage), cost_usd = u.cost_usd + coalesce(q.cost, 0),
    duration_ms = coalesce(u.duration_ms, 0) + q.duration, waiting_on = null,
    completed_at = now_, completed_seq = seqs[q.at] + q.place,
    pending_edges = case q.place when 0 then u.pending_edges else 0 end,
    fence = case q.place when 0 then u.fence else 1 end,
    attempt_number = case q.place when 0 then u.attempt_number else 1 end,
    worker_id = case q.place when 0 then u.worker_id else worker end,
    started_at = case q.place when 0 then u.started_at else now_ end,
    queued_ms = case q.place when 0 then u.queued_ms else 0 end
  from unnest(at, places, tasks, durations, outputs, inputs, costs, usages, branches, winners)
    as q(at, place, task, duration, output, input, cost, usage, branch, winner)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = ids[q.at]
    and h.task_id = q.task and h.map_index = -1
    and case q.place when 0 then h.status = 'running' and h.fence = fences[q.at]
      else h.status = 'pending' and h.ready_at is null and h.pending_edges = 1 and h.fence = 0 and h.attempt_number = 0 end offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(tasks) then raise 'a task is not as it has to be' using errcode = 'DW001'; end if;

  update dagwright.task_executions u set pending_edges = 0, status = 'running', fence = 1, attempt_number = 1, worker_id = worker,
    started_at = now_, queued_ms = 0
  from unnest(ids, children) as q(e, child)
  cross join lateral (select h.ctid as tid from dagwright.task_executions h where h.workflow_execution_id = q.e
    and h.task_id = q.child and h.map_index = -1 and h.status = 'pending' and h.ready_at is null and h.pending_edges = 1
    and h.fence = 0 and h.attempt_number = 0 offset 0) l
  where u.ctid = l.tid;
  get diagnostics found_ = row_count;
  if found_ <> cardinality(array_remove(children, null)) then raise 'a child is not as it has to be' using errcode = 'DW001'; end if;
  return extract(epoch from now_) * 1000;
end $$;

-- src/db/functions/settle.sql
-- Settles attempts and goes on: the general way, which takes whatever settle_completed_v2 and settle_one_v1 refuse.
-- p is { w, slots, x }, with one element of x per execution; all keys are declared in db/protocol/settle-keys.ts.
-- An execution that somebody has locked is passed by, so that no other has to wait for it: it comes back as `locked`, and nothing of
-- it was changed. Result rows, `kind`: locked | settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
-- Chapters that are called once per execution or once per fan-out are functions of their own (settle-children.sql,
-- settle-closure.sql, settle-fan-out.sql). What is done per settle stands here: a call costs 6 µs, a twentieth of an item's settle.
create or replace function dagwright.settle_v2(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  worker constant uuid := p->>'w';
  slots constant int := p->>'slots';
  batch record;         -- the settles of one execution, and what follows from them
  execution record;
  settle record;
  task record;          -- the row that was settled
  fan_out record;       -- the row of the fan-out whose item it is
  step record;          -- an answer of a chapter
  now_ timestamptz;
  seq bigint;           -- the number of the next end
  settled int[];        -- ordinals of the settles that were found
  lanes int[];          -- ordinals of the lanes that still want to go on
  extra int;            -- pure tasks that may still be claimed beyond them
  lane int;
  ready_tasks text[];
  ready_indexes int[];
  woken text[];
  closed int;           -- how many fewer tasks are open
  failures int;
  cost numeric;
  is_cost_unknown boolean;
  has_list boolean;      -- a lane brought a list
  has_end boolean;       -- one of them ends the execution
  is_drained boolean;
  claimed int;
begin
  for batch in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, wd text[], lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    -- THE EXECUTION is locked, and read.
    e := batch.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into execution
      from dagwright.workflow_executions o where o.id = batch.e for no key update skip locked;
    if not found and exists (select from dagwright.workflow_executions o where o.id = batch.e) then
      kind := 'locked'; i := null; return next;
      continue;
    end if;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := execution.next_seq; closed := 0; failures := 0; cost := 0; is_cost_unknown := false;
    settled := '{}'; ready_tasks := '{}'; ready_indexes := '{}';
    lanes := coalesce(batch.lanes, '{}'); extra := coalesce(batch.extra, 0); has_list := false; has_end := false;
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if execution.status <> 'running' then lanes := '{}'; extra := 0; end if;

    for settle in select r.* from jsonb_to_recordset(batch.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo dagwright.wait_kind, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      -- THE ROW is written, under its fence (S1).
      i := settle.i; t := settle.t; m := settle.m;
      has_list := has_list or settle.next is not null;
      has_end := has_end or settle."end" is not null;
      if settle."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = settle."to"::dagwright.task_status, reason = settle.r, branch = settle.b, winner = settle.wn,
          input = coalesce(settle.inp, u.input), output = settle.out, error = settle.err, part_errors = settle.errs,
          resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at into task;
      elsif settle."to" in ('retrying', 'waiting') and execution.failing and not coalesce(settle.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when settle."to" <> 'released' then settle."to"::dagwright.task_status when settle.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(settle.inp, u.input), error = coalesce(settle.err, u.error), resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur, waiting_on = settle.wo,
          wake_at = case when execution.status = 'running' then now_ + settle.wake * interval '1 millisecond' end,
          held_wake_at = case when execution.status <> 'running' then now_ + settle.wake * interval '1 millisecond' end,
          ready_at = case when settle."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (settle."to" = 'released' and settle.wo is null and u.recoveries <= max_recoveries)::int,
          items = coalesce(settle.fo->'items', u.items), items_total = coalesce((settle.fo->>'total')::int, u.items_total),
          items_open = coalesce((settle.fo->>'total')::int, u.items_open), items_ok = case when settle.fo is null then u.items_ok else 0 end,
          items_failed = case when settle.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((settle.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((settle.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((settle.fo->>'conc')::int, (settle.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at, u.items_issued into task;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      end if;
      settled := settled || settle.i;
      cost := cost + coalesce(settle.cost, 0);
      is_cost_unknown := is_cost_unknown or coalesce(settle.unk, false);
      if settle."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m and c.completed_at is not null;
      end if;
      if settle.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (batch.e, settle.t, settle.m, task.attempt_number, settle.f, execution.tenant_id, worker, settle.err,
          case when settle.unk then null else coalesce(settle.cost, 0) end, settle.use, task.started_at, now_, settle.dur);
      end if;
      kind := 'settled'; return next;

      -- WHAT THE TASK GOES ON WITH, where it has not ended.
      if settle."to" = 'released' then
        ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
      elsif dagwright.wait_ends_by_v1(settle.wo) = 'answer' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m and exists (
          select from dagwright.task_callbacks c where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m
            and c.waiting_on = settle.wo and c.completed_at is not null);
        if found then ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m; end if;
      elsif settle.fo is not null then
        -- A fan-out opens: of the first items of its window one is for this lane, pure ones may be taken beyond, the rest is ready.
        claimed := least(case when settle.i = any(lanes) then 1 else 0 end + case when settle.pure then extra else 0 end, task.items_issued);
        perform dagwright.open_items_v1(worker, batch.e, execution.tenant_id, settle.t, settle.fo->'types', coalesce(settle.st, false),
          task.items_issued, claimed, now_);
        for item in 0 .. claimed - 1 loop
          kind := 'claim'; m := item; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when item = 0 and settle.i = any(lanes) then settle.i else -1 end;
          return next;
          if i = settle.i then lanes := array_remove(lanes, settle.i); else extra := extra - 1; end if;
        end loop;
        ready_tasks := ready_tasks || array_fill(settle.t, array[task.items_issued - claimed]);
        ready_indexes := ready_indexes || array(select item from generate_series(claimed, task.items_issued - 1) item);
      end if;
      if settle."to" not in ('completed', 'failed', 'skipped', 'cancelled') then continue; end if;

      -- WHAT FOLLOWS FROM AN END: a task's is counted; an item's moves the window of its fan-out on, or ends that.
      seq := seq + 1;
      if settle.m < 0 then
        closed := closed + 1;
        failures := failures + (settle."to" = 'failed')::int;
        continue;
      end if;
      update dagwright.task_executions u set items_open = u.items_open - 1,
        items_ok = u.items_ok + (settle."to" = 'completed')::int,
        items_failed = u.items_failed + (settle."to" <> 'completed' and not coalesce(settle.opt, false))::int
      where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
      returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
        u.stays_after_failure into fan_out;
      if not found then
        -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
        closed := closed + 1;
      elsif fan_out.items_open = 0 or fan_out.items_failed > fan_out.items_tolerated or fan_out.items_ok >= fan_out.items_needed then
        lane := lanes[1];
        select * into fence, attempt, recoveries, phase from dagwright.collect_items_v1(worker, batch.e, execution.tenant_id, settle.t,
          fan_out.items_issued, fan_out.items_total, lane is not null, now_, seq);
        seq := seq + fan_out.items_total;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || -1;
        else
          kind := 'claim'; i := lane; m := -1; return next;
          lanes := lanes[2:];
        end if;
      elsif fan_out.items_issued < fan_out.items_total then
        lane := lanes[1];
        if lane is null and settle.pure and settle.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select batch.e, settle.t, fan_out.items_issued, execution.tenant_id, coalesce(settle.ty->>fan_out.items_issued, u.task_type), fan_out.stays_after_failure,
          case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
          case when lane is not null then worker end, case when lane is not null then now_ end,
          case when lane is not null then 0 end, case when lane is null then now_ end
        from dagwright.task_executions u
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        update dagwright.task_executions u set items_issued = u.items_issued + 1
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || fan_out.items_issued;
        else
          kind := 'claim'; i := lane; m := fan_out.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
          return next;
          lanes := lanes[2:];
        end if;
      end if;
    end loop;

    -- WHAT FOLLOWS FAR AWAY, AND WHAT THE LANES GO ON WITH, from settles that were found (S2).
    if cardinality(settled) > 0 then
      if batch.z is not null then
        select * into step from dagwright.end_further_v1(batch.e, execution.tenant_id, batch.z, now_, seq);
        closed := closed + step.closed; failures := failures + step.failures; seq := step.next_seq;
      end if;
      if batch.wd is not null then
        woken := dagwright.wind_down_v1(batch.e, batch.wd, now_);
        ready_tasks := ready_tasks || woken; ready_indexes := ready_indexes || array_fill(-1, array[cardinality(woken)]);
      end if;
      if batch.d is not null then
        for step in select * from dagwright.wake_children_v1(worker, batch.e, batch.d, settled, lanes, extra, now_) loop
          if step.kind = 'ready' then
            ready_tasks := ready_tasks || step.t; ready_indexes := ready_indexes || -1;
          else
            kind := 'claim'; i := step.i; t := step.t; m := -1; phase := null;
            fence := step.fence; attempt := step.attempt; recoveries := step.recoveries;
            return next;
            if i = -1 then extra := extra - 1; else lanes := array_remove(lanes, i); end if;
          end if;
        end loop;
      end if;
    end if;
    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 then
      kind := 'claim';
      for i, t, m, fence, attempt, recoveries, phase in select * from dagwright.claim_listed_v1(worker, batch.e, batch.s, lanes, now_) loop
        return next;
      end loop;
    end if;
    if cardinality(ready_tasks) > 0 and execution.status = 'running' then
      perform dagwright.enqueue_v1(batch.e, ready_tasks, ready_indexes, slots, execution.priority);
    end if;
    if cardinality(settled) = 0 then continue; end if;

    -- THE EXECUTION'S COUNTERS, and its end where these settles are its last or one of them ends it.
    is_drained := execution.open_tasks = closed and closed > 0 and execution.status = 'running';
    if is_drained and batch.fin is not null and execution.failed_tasks + failures = 0 then
      update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
        output = batch.fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      kind := 'finished'; i := null; return next;
    else
      update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
        failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(batch.failing, false),
        concluded_by = case when is_drained then worker end,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      if is_drained then kind := 'drained'; i := null; return next; end if;
    end if;
    if has_end then
      for settle in select r.i, r."end" from jsonb_to_recordset(batch.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(settled) loop
        perform dagwright.end_execution_v1(batch.e, (settle."end"->>'status')::dagwright.execution_status, settle."end"->'out', settle."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop;
    end if;
  end loop;
end $$;

-- src/db/functions/sizes.sql
-- What other services give by SQL is bounded as what comes by HTTP is. Callers measure by themselves, since that costs a small value
-- about a microsecond and a call of another function three times that; pg_column_size would not do, as it is what compression left.

-- Refuses a value that has more than so many bytes as the database writes JSON: with spaces, and 1e300 with all its digits.
create or replace function dagwright.refuse_size_v1(what text, most int) returns void language plpgsql immutable as $$
begin
  raise exception '% has more than % bytes of JSON', what, most using errcode = '54000',
    hint = 'keep what is large elsewhere, and give its place';
end $$;

-- src/db/functions/start-and-open.sql
-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say `open`, by
-- `openings` (as open_v2 reads it). Where its tasks need permits, none is opened, and all get jobs. It keeps what
-- start_executions_v1 and open_v2 keep; between them nobody sees a row.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened: when, and what of it was
-- stored in another form than it was sent in.
create or replace function dagwright.start_and_open_v2(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8, created_at timestamptz, started_at timestamptz,
  input jsonb, trigger jsonb)
language plpgsql as $$
declare
  waits_for_permits constant boolean := exists (select from dagwright.tenants t where t.id = tenant and t.max_running_tasks is not null);
begin
  if waits_for_permits then p := (select jsonb_agg(o - 'open') from jsonb_array_elements(p) o); end if;
  return query select s.i, s.id, s.existing, s.problem, null::float8, null::timestamptz, null::timestamptz, null::jsonb, null::jsonb
    from dagwright.start_executions_v1(tenant, p) s;
  if waits_for_permits then return; end if;
  return query select null::int, o.e, null::boolean, null::text, o.at, x.created_at, x.started_at, x.input, x.trigger
    from dagwright.open_v2(worker, slots, openings) o
    cross join lateral (select * from dagwright.workflow_executions h where h.id = o.e offset 0) x;
end $$;

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
        update dagwright.workflow_executions o set run_at = null from due where o.id = due.id and due.may_start
          returning o.id, o.priority, o.tenant_id)
      select w.priority, t.max_running_tasks is not null as waits_for_permits,
        array_agg(json_build_object('e', w.id, 'o', w.tenant_id)) as payloads, count(*) as k
      from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
      union all select null, null, null, count(*) from held
    loop
      if x.payloads is null then
        held := x.k;
      else
        perform dagwright.add_jobs_v2(x.payloads, x.priority, x.waits_for_permits);
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
      update dagwright.workflow_executions o set run_at = null, is_held = false from free where o.id = free.id
      returning o.id, o.priority, o.tenant_id)
    select w.priority, t.max_running_tasks is not null as waits_for_permits,
      array_agg(json_build_object('e', w.id, 'o', w.tenant_id)) as payloads, count(*) as k
    from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
  loop
    perform dagwright.add_jobs_v2(x.payloads, x.priority, x.waits_for_permits);
    n := n + x.k;
  end loop;
  return n;
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, latest? (id of its version: only if this is the one that a start takes now; else the problem is `stale`, and nothing is recorded), runAt? (opened only then), open? (start_and_open_v1 opens it: no job) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
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
        input, metadata, created_by, created_at, run_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, latest uuid, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier
          and (r.latest is null or v.id = r.latest and v.revision = coalesce(d.pinned_revision, d.latest_revision)) offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      limit room
      on conflict do nothing
      returning id, priority, run_at)
    select priority, count(*)::int as n, array_agg(json_build_object('e', id, 'o', tenant))
      filter (where run_at is null and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_jobs_v2(jobs.payloads, jobs.priority, owner_.waits_for_permits); end if;
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

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow. input: at most 1,000,000
-- bytes, metadata 16,000, idempotency_key 500.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
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
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor()))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
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

-- src/db/functions/suspect-turn.sql
-- Whether this worker may hold its other attempts back for a task that has crashed workers, for so long at most: one of all workers
-- at a time, so that the others go on. Waits for nobody; a worker that dies with the turn has it until its time is over.
create or replace function dagwright.take_suspect_turn_v1(worker uuid, for_ms int) returns boolean
language plpgsql as $$
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return false; end if;
  -- A statement of its own: its snapshot must be younger than the lock.
  if exists (select from dagwright.workers w where w.id <> worker and w.suspects_until > clock_timestamp()) then return false; end if;
  update dagwright.workers set suspects_until = clock_timestamp() + for_ms * interval '1 millisecond' where id = worker;
  return found;
end $$;

-- src/db/functions/take-over.sql
-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` executions of one a
-- pass; those that somebody has locked wait for another, and the others are not behind them.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  now_ timestamptz := clock_timestamp();
  up constant timestamptz := pg_postmaster_start_time();
  mine record;
  dead record;
  x record;
  total int := 0;
  ts text[];
  ms int[];
begin
  select greatest(beating_since, up) as since into mine from dagwright.workers
    where id = sweeper and heartbeat_at > now_ - interval '7 seconds';
  if not found then return 0; end if;
  for dead in
    select w.id from dagwright.workers w
    where w.id <> sweeper and greatest(w.heartbeat_at, up) < now_ - interval '7 seconds' and (
      (mine.since < now_ - interval '7 seconds'
        and not exists (select from pg_locks k where k.locktype = 'advisory' and k.database = (select oid from pg_database where datname = current_database())
          and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted))
      or (greatest(w.heartbeat_at, up) < now_ - w.lease_seconds * interval '1 second'
        and mine.since < now_ - w.lease_seconds * interval '1 second'))
    for update skip locked
  loop
    for x in
      select o.id, o.priority, o.status, o.tenant_id from dagwright.workflow_executions o
      where o.status in ('running', 'paused') and exists (select from dagwright.task_executions t
        where t.workflow_execution_id = o.id and t.status = 'running' and t.worker_id = dead.id)
      order by o.id limit most for no key update of o skip locked
    loop
      -- The attempt that died is kept; more of them than it may have, and the task is not tried again (its next claim fails it).
      -- What had not been entered yet is given back as if it had not been claimed.
      insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, worker_id, error, started_at, completed_at)
      select x.id, t.task_id, t.map_index, t.attempt_number, t.fence, x.tenant_id, dead.id,
        jsonb_build_object('code', 'worker_lost', 'message', 'the worker that ran this attempt died'), t.started_at, now_
      from dagwright.task_executions t
      where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id and t.started_at is not null;
      with taken as (
        update dagwright.task_executions t set
          status = case when t.waiting_on is null then 'pending'::dagwright.task_status else 'waiting' end,
          fence = t.fence + 1, recoveries = t.recoveries + (t.started_at is not null)::int, ready_at = now_,
          -- A claim from waiting does not count an attempt; the one that a crash took is counted here.
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= max_recoveries)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries < max_recoveries)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
        select dagwright.uuid_v7(), x.tenant_id, x.id, l.task_id, nullif(l.map_index, -1), now_, 'warn',
          'the worker that held this task died: it is taken over', jsonb_build_object('workerId', dead.id)
        from unnest(ts, ms) as l(task_id, map_index);
        total := total + cardinality(ts);
      end if;
    end loop;
    for x in select o.id from dagwright.workflow_executions o
             where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id for no key update skip locked loop
      update dagwright.workflow_executions set concluded_by = sweeper where id = x.id;
      perform dagwright.enqueue_execution_v1(x.id);
    end loop;
    if not exists (select from dagwright.workflow_executions o join dagwright.task_executions t
        on t.workflow_execution_id = o.id where o.status in ('running', 'paused') and t.status = 'running' and t.worker_id = dead.id)
      and not exists (select from dagwright.workflow_executions o where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id) then
      delete from dagwright.workers where id = dead.id;
      perform dagwright.unlock_lost_pools_v1();
    end if;
  end loop;
  return total;
end $$;

-- src/db/functions/tick.sql
-- The one-second loop of a worker. p: { w, slots, sweep, held: [[e, t, m, f, timeout seconds or null], …] } (the attempts it has
-- held for a while). Returns { lost: [ordinals no longer its own], late: [ordinals past their timeout], woken, ended,
-- recovered, next (ms until the next timer, or null), now (ms since the epoch) }.
create or replace function dagwright.tick_v1(p jsonb) returns jsonb
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  now_ timestamptz := clock_timestamp();
  lost jsonb;
  late jsonb;
  woken int;
  ended int := 0;
  recovered int := 0;
  x record;
begin
  select coalesce(jsonb_agg(h.k) filter (where t.fence is distinct from h.f or t.status is distinct from 'running'), '[]'),
    coalesce(jsonb_agg(h.k) filter (where t.fence = h.f and t.status = 'running' and t.started_at + h.timeout * interval '1 second' < now_), '[]')
    into lost, late
  from (select o.ordinality - 1 as k, (o.value->>0)::uuid as e, o.value->>1 as t, (o.value->>2)::int as m, (o.value->>3)::bigint as f,
          (o.value->>4)::float8 as timeout
        from jsonb_array_elements(p->'held') with ordinality o) h
  left join dagwright.task_executions t on t.workflow_execution_id = h.e and t.task_id = h.t and t.map_index = h.m;
  woken := dagwright.wake_due_v1((p->>'slots')::int, 256) + dagwright.start_due_v1(256);
  -- Those that somebody has locked are none of the 32. Taken without waiting, so out of the order of locks.
  for x in select o.id from dagwright.workflow_executions o where o.deadline_at <= now_ and o.status <> 'paused'
           order by o.deadline_at limit 32 for no key update skip locked loop
    perform dagwright.end_execution_v1(x.id, 'failed', null,
      jsonb_build_object('code', 'timeout', 'message', 'the execution ran past its timeoutSeconds'), 'execution_failed', now_);
    ended := ended + 1;
  end loop;
  if (p->>'sweep')::boolean then
    recovered := dagwright.take_over_v1((p->>'w')::uuid, (p->>'slots')::int, 200);
  end if;
  return jsonb_build_object('now', extract(epoch from clock_timestamp()) * 1000, 'lost', lost, 'late', late, 'woken', woken, 'ended', ended, 'recovered', recovered,
    'next', (select (extract(epoch from wake_at - clock_timestamp()) * 1000)::bigint from dagwright.task_executions
      where wake_at is not null order by wake_at limit 1));
end $$;

-- src/db/functions/turns.sql
-- Turns of tenants in the queue. graphile-worker takes the jobs with the lowest (priority, run_at). A job is added under the priority of
-- its execution and the moment it came: the right order within a tenant, but not between tenants. Where several wait, a pass gives the
-- next jobs of each a turn: they go to the front (priority -1), with a virtual time as run_at, as in start-time fair queueing.
--   T1  A tenant's next turn is one step after its last, and never before the earliest turn that is still to come: whoever comes late
--       catches up with nobody, and nobody who waits is overtaken by more than its window. A step is 1/weight.
--   T2  Within a tenant a higher priority goes first; each step of priority is worth a minute of waiting, so that nothing starves.
--   T3  At most a window of jobs of a tenant has turns: what comes later under a higher priority waits for so many of its own at most.
--   T4  All that it knows stands in the queue. A start takes no lock and keeps no count, so that a transaction that a caller holds open
--       stops nobody. A pass that dies before its commit has changed nothing; after it, the jobs wait in an order that is fair too.
--   T5  One pass at a time; jobs that are being taken are left alone. Without passes every job is still taken, by priority and age.
--   T6  Jobs of a tenant with max_running_tasks cannot be taken before they have a permit (add_jobs_v2 puts them 100 years and 100
--       priorities off). A permit is a key `tenant#number` of the job, which the queue holds until its lane has ended: the unique key
--       is the limit, also where a pass counts wrongly, and a worker that dies keeps its permits until it is taken over.
-- Locks: rows of the queue only, and none is waited for.
-- Jobs of a line are asked for by comparing rows: by `priority = p` the planner may take graphile's index, and read all tenants' jobs.
create index if not exists jobs_by_tenant on graphile_worker._private_jobs ((coalesce(payload->>'o', '')), priority, run_at)
  where is_available;

-- Each tenant and priority of which jobs wait, and since when; -1: those that have turns. One look at the index for each.
create or replace function dagwright.waiting_lines_v1() returns table (tenant text, priority int, since timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
  with recursive heads as (
    (select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1)
    union all
    select n.tenant, n.priority, n.run_at from heads h cross join lateral (
      select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) > (h.tenant, h.priority)
      order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1) n)
  select h.tenant, h.priority::int, case when h.priority >= 90 then h.run_at - interval '100 years' else h.run_at end from heads h
$$;

-- Gives turns to the next jobs of each line: [{ tenant, priorities, most (turns of it that wait at once), step (microseconds), permits
-- (null: it needs none) }]. Returns how many got one.
create or replace function dagwright.move_to_front_v1(lines jsonb) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  line record;
  earliest timestamptz;
  given int;
  last_ timestamptz;
  keys text[];
  moved int;
  total int := 0;
begin
  -- Virtual time runs slower than the clock, so that a new beginning is never before what was.
  earliest := coalesce((select j.run_at from graphile_worker._private_jobs j where is_available and j.priority = -1 order by j.run_at limit 1),
    now_ - interval '1 minute');
  for line in select * from jsonb_to_recordset(lines) as l(tenant text, priorities int[], most int, step float8, permits int) loop
    select count(*), max(j.run_at) into given, last_ from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, -1::smallint)
        and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, -1::smallint);
    keys := case when line.permits is not null then array(select line.tenant || '#' || n from generate_series(1, line.permits) n
      where not exists (select from graphile_worker._private_jobs j where j.key = line.tenant || '#' || n) order by n) end;
    given := least(line.most - given, cardinality(keys));
    continue when given <= 0;
    with next as (
      select w.id, row_number() over (order by w.due, w.id) as place from (
        select j.id, j.due from unnest(line.priorities) p cross join lateral (
          select j.id, j.run_at + p * interval '1 minute' - case when p >= 90 then interval '100 years 100 minutes' else interval '0' end as due
          from graphile_worker._private_jobs j
          where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
            and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and (p >= 90 or j.run_at <= now_)
          order by coalesce(payload->>'o', ''), j.priority, j.run_at limit given for update skip locked) j
        order by 2, 1 limit given) w)
    update graphile_worker._private_jobs j set priority = -1, key = keys[next.place],
      run_at = least(now_, greatest(earliest, last_) + next.place * line.step * interval '1 microsecond')
    from next where j.id = next.id;
    get diagnostics moved = row_count;
    total := total + moved;
  end loop;
  -- Workers with free slots look for jobs only when they are told.
  if total > 0 then perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":' || total::text || '}'); end if;
  return total;
end $$;

-- What waits of these tenants without needing a permit, needs one from now on: they have been limited meanwhile. At most `most` jobs.
create or replace function dagwright.hold_for_permits_v1(limited text[], most int) returns void
language sql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
  update graphile_worker._private_jobs j set priority = j.priority + 100, run_at = j.run_at + interval '100 years'
  from unnest(limited) t cross join lateral (
    select i.id from graphile_worker._private_jobs i where is_available and (coalesce(payload->>'o', ''), i.priority) >= (t, 0::smallint)
      and (coalesce(payload->>'o', ''), i.priority) <= (t, 10::smallint)
    limit most for update skip locked) h
  where j.id = h.id
$$;

-- One pass, where it is needed: several tenants wait, some for permits, or a job of lower priority has waited longer than that is worth.
-- Returns which tenants wait (100, the longest first), whether one waits for permits, and whether any may have to; nothing where another
-- pass is under way.
create or replace function dagwright.give_turns_v1(slots int) returns table (tenants text[], is_held boolean, is_limited boolean)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  window_ constant int := greatest(32, slots);
  is_aged boolean;
  limited text[];
  lines jsonb;
  count_ int;
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return; end if;
  -- Mostly one tenant waits, under one priority, and nothing is to be done: that is found out at little cost.
  select coalesce(array_agg(w.tenant), '{}'), count(*), coalesce(max(w.priority) >= 90, false),
      exists (select from dagwright.tenants t where t.max_running_tasks is not null)
    into tenants, count_, is_held, is_limited from dagwright.waiting_lines_v1() w;
  if count_ <= 1 and not is_held and not is_limited then
    return next;
    return;
  end if;
  with line as materialized (
      select w.tenant, array_agg(w.priority) filter (where w.priority >= 0) as priorities, coalesce(min(t.weight), 1) as weight,
        min(t.max_running_tasks) as permits, min(w.since) as since,
        coalesce(bool_or(w.priority between 0 and 89) and min(t.max_running_tasks) is not null, false) as is_new,
        (array_agg(w.priority order by w.since + w.priority % 100 * interval '1 minute') filter (where w.priority >= 0))[1]
          > min(w.priority) filter (where w.priority >= 0) as is_aged
      from dagwright.waiting_lines_v1() w left join lateral (select h.weight, h.max_running_tasks from dagwright.tenants h
        where h.id = nullif(w.tenant, '')::uuid offset 0) t on true group by w.tenant)
  select coalesce((array_agg(l.tenant order by l.since))[1:100], '{}'), bool_or(90 <= any(l.priorities)), bool_or(l.is_aged), array_agg(l.tenant) filter (where l.is_new),
      jsonb_agg(jsonb_build_object('tenant', l.tenant, 'priorities', l.priorities, 'most', least(1024, window_ * l.weight),
        'step', 100.0 / l.weight, 'permits', l.permits)) filter (where l.priorities is not null)
    into tenants, is_held, is_aged, limited, lines from line l;
  if limited is not null then perform dagwright.hold_for_permits_v1(limited, 1000); end if;
  if lines is not null and (cardinality(tenants) > 1 or is_held or is_aged) then perform dagwright.move_to_front_v1(lines); end if;
  is_held := coalesce(is_held, false) or limited is not null;
  return next;
end $$;

-- How many tenants' jobs wait, and how many jobs wait for a permit; looks at no more than `most` of these.
create or replace function dagwright.queue_tenants_v1(most int) returns table (tenants int, held int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (select count(distinct tenant)::int from dagwright.waiting_lines_v1()),
    (select count(*)::int from (select from graphile_worker._private_jobs where is_available and priority >= 90 limit most) j)
$$;

-- Takes, for a worker whose slots are all taken, the next job of each tenant that is not `busy` there, at most `most`: for its reserve
-- (engine/worker/reserve.ts). They are locked as graphile-worker locks them, so that they come again where their worker dies.
create or replace function dagwright.take_reserved_v1(pool text, busy text[], most int) returns table (id bigint, payload json, added_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  now_ constant timestamptz := clock_timestamp();
  line record;
begin
  for line in select w.tenant, min(w.priority)::smallint as priority from dagwright.waiting_lines_v1() w
    where w.priority < 90 and w.tenant <> '' and w.tenant <> all(busy) group by w.tenant order by min(w.since) limit most
  loop
    return query update graphile_worker._private_jobs j set locked_at = now_, locked_by = pool, attempts = j.attempts + 1
      where j.id = (select i.id from graphile_worker._private_jobs i where is_available
          and (coalesce(i.payload->>'o', ''), i.priority) >= (line.tenant, line.priority)
          and (coalesce(i.payload->>'o', ''), i.priority) <= (line.tenant, line.priority) and i.run_at <= now_
        order by coalesce(i.payload->>'o', ''), i.priority, i.run_at limit 1 for update skip locked)
      returning j.id, j.payload, j.created_at;
  end loop;
end $$;

-- Such jobs have been done.
create or replace function dagwright.end_reserved_v1(pool text, ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from graphile_worker._private_jobs where id = any(ids) and locked_by = pool
$$;

-- src/db/functions/waiting-calls.sql
-- The batches as the release before calls them: it does not know the answer `locked`, so all executions of a batch are locked before it,
-- and it waits for those that somebody has locked. To go with the release after the next.
create or replace function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (x.value->>'e')::uuid from jsonb_array_elements(p->'x') x))
    order by o.id for no key update;
  return query select s.* from dagwright.settle_v2(p) s;
end $$;

create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update;
  return query select c.* from dagwright.settle_completed_v2(w, slots, ids, s, d, lanes, extra) c;
end $$;

create or replace function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (c.value->>'e')::uuid from jsonb_array_elements(p->'c') c))
    and o.status = 'running' order by o.id for no key update;
  return query select c.* from dagwright.claim_v2(p) c;
end $$;

create or replace function dagwright.open_v1(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(x) r))
    order by o.id for no key update;
  return query select o.* from dagwright.open_v2(w, slots, x) o;
end $$;

create or replace function dagwright.finish_v1(p jsonb) returns table (e uuid)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(p) r))
    order by o.id for no key update;
  return query select f.e from dagwright.finish_v2(p) f;
end $$;

-- src/db/functions/wake-due.sql
-- Makes ready what a timer was set for, at most `most` tasks. Due tasks are found by the index of timers alone, whatever else their
-- executions hold.
--   W1  An execution that somebody has locked waits for the next pass. Its timers are looked past, however many are due, so that
--       those of others are not behind them.
create or replace function dagwright.wake_due_v1(slots int, most int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
  n int := 0;
  page int;
  now_ timestamptz := clock_timestamp();
  due_x uuid[];
  due_t text[];
  due_m int[];
  seen uuid[] := '{}';   -- executions that this call has been at
  ts text[];
  ms int[];
begin
  for round in 1..16 loop
    page := most - n;
    select array_agg(due.e), array_agg(due.t), array_agg(due.m) into due_x, due_t, due_m from (
      select workflow_execution_id as e, task_id as t, map_index as m from dagwright.task_executions
      where wake_at <= now_ and not workflow_execution_id = any(seen) order by wake_at limit page) due;
    exit when due_x is null;
    for x in
      select o.id, o.priority from dagwright.workflow_executions o where o.id = any(due_x) and o.status = 'running'
      order by o.id for no key update skip locked
    loop
      with woken as (
        update dagwright.task_executions u set wake_at = null, ready_at = now_
        from unnest(due_x, due_t, due_m) as y(e, t, m)
        where y.e = x.id and u.workflow_execution_id = x.id and u.task_id = y.t and u.map_index = y.m
          and u.wake_at <= now_ and u.status in ('waiting', 'retrying')
        returning u.task_id, u.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from woken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        n := n + cardinality(ts);
      end if;
    end loop;
    exit when cardinality(due_x) < page or n >= most;
    seen := seen || array(select distinct e from unnest(due_x) as y(e));
  end loop;
  return n;
end $$;
