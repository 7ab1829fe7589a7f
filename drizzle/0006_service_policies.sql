-- Row-level security and grants of the tables that 0005 makes; as in 0001.

do $$
declare
  name text;
  own constant text := '(tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)';
begin
  foreach name in array array['api_keys', 'audit_logs', 'idempotent_requests', 'workflow_variables', 'schedules', 'schedule_ticks',
    'webhooks', 'webhook_filters', 'webhook_events', 'events', 'event_triggers']
  loop
    execute format('alter table dagwright.%I enable row level security', name);
    execute format('alter table dagwright.%I force row level security', name);
    execute format('create policy tenant_isolation on dagwright.%I to dagwright_owner, dagwright_tenant using %s with check %s', name, own, own);
    execute format('create policy engine_sees_all on dagwright.%I to dagwright_engine using (true) with check (true)', name);
  end loop;
end $$;

-- What belongs to the installation has no tenant: it is written by the audit trigger alone, and read by the engine's role.
create policy installation_appends on dagwright.audit_logs for insert to dagwright_owner
  with check (tenant_id is null and nullif(current_setting('app.current_tenant_id', true), '') is null);

grant select, insert, update, delete on dagwright.api_keys, dagwright.idempotent_requests, dagwright.workflow_variables,
  dagwright.schedules, dagwright.schedule_ticks, dagwright.webhooks, dagwright.webhook_filters, dagwright.webhook_events,
  dagwright.events, dagwright.event_triggers, dagwright.schedulers to dagwright_engine;
grant select on dagwright.audit_logs to dagwright_engine;

grant select, insert, update, delete on dagwright.workflow_variables, dagwright.schedules, dagwright.webhooks,
  dagwright.webhook_filters, dagwright.event_triggers to dagwright_tenant;
grant select, insert, update on dagwright.api_keys to dagwright_tenant;
grant select, insert on dagwright.idempotent_requests to dagwright_tenant;
grant select on dagwright.audit_logs, dagwright.schedule_ticks, dagwright.webhook_events, dagwright.events to dagwright_tenant;
