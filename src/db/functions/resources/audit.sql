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
