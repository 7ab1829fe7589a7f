-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/answer.sql
-- Answers: what someone outside sends, once, to a task that waits for it. Each has a key, 32 bytes that name it among those of its
-- kind of wait; a callback's is the SHA-256 of its one-time token, and nothing else of the token is kept.
--   B1  The key is known before the call goes out; an answer that comes before its task waits is kept for it.
--   B2  The first answer of a task counts; later ones, and answers to a task that has ended, change nothing.
--   B3  Lock order: execution, task, answer.

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
  select workflow_execution_id as e, task_id, map_index into answer from dagwright.task_callbacks
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

-- src/db/functions/sizes.sql
-- What other services give by SQL is bounded as what comes by HTTP is. Callers measure by themselves, since that costs a small value
-- about a microsecond and a call of another function three times that; pg_column_size would not do, as it is what compression left.

-- Refuses a value that has more than so many bytes as the database writes JSON: with spaces, and 1e300 with all its digits.
create or replace function dagwright.refuse_size_v1(what text, most int) returns void language plpgsql immutable as $$
begin
  raise exception '% has more than % bytes of JSON', what, most using errcode = '54000',
    hint = 'keep what is large elsewhere, and give its place';
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, runAt? (opened only then), open? (start_and_open_v1 opens it: no job) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
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
  opening constant uuid[] := case when jsonb_path_exists(p, '$[*].open') then array(select (o.value->>'id')::uuid
    from jsonb_array_elements(p) o where o.value->'open' = 'true') end;
  bad text;
  count_ int := 0;
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
    select priority, count(*)::int as n, array_agg(json_build_object('e', id))
      filter (where run_at is null and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_jobs_v1(jobs.payloads, jobs.priority); end if;
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
        when d.status <> 'active' then 'not_active' when v.min_tier > owner_.tier then 'tier_too_low' else 'not_found' end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  end if;
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
