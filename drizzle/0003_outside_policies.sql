-- Row-level security and grants of the tables that 0002 makes; as in 0001.

do $$
declare
  name text;
begin
  foreach name in array array['task_callbacks', 'execution_logs']
  loop
    execute format('alter table dagwright.%I enable row level security', name);
    execute format('alter table dagwright.%I force row level security', name);
    execute format('create policy tenant_isolation on dagwright.%I to dagwright_owner, dagwright_tenant
      using (tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)
      with check (tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)', name);
    execute format('create policy engine_sees_all on dagwright.%I to dagwright_engine using (true) with check (true)', name);
  end loop;
end $$;

grant select, insert, update, delete on dagwright.task_callbacks, dagwright.execution_logs, dagwright.ai_model_pricing,
  dagwright.service_limits, dagwright.service_permits, dagwright.service_starts, dagwright.service_states,
  dagwright.retention_cleanup_logs to dagwright_engine;
grant select on dagwright.execution_logs to dagwright_tenant;

-- Rows that change with every call to a limited service; none of the changed columns stands in an index.
alter table dagwright.service_limits set (fillfactor = 50);
alter table dagwright.service_starts set (fillfactor = 70);
alter table dagwright.service_permits set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
