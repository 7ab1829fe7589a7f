-- Row-level security and grants of the tables that 0024 makes; as in 0001.

do $$
declare
  name text;
begin
  foreach name in array array['execution_signals', 'signal_waits']
  loop
    execute format('alter table dagwright.%I enable row level security', name);
    execute format('alter table dagwright.%I force row level security', name);
    execute format('create policy tenant_isolation on dagwright.%I to dagwright_owner, dagwright_tenant
      using (tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)
      with check (tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)', name);
    execute format('create policy engine_sees_all on dagwright.%I to dagwright_engine using (true) with check (true)', name);
  end loop;
end $$;

grant select, insert, update, delete on dagwright.execution_signals, dagwright.signal_waits to dagwright_engine;
-- What the tasks of a tenant wait for; what was sent is read by those tasks alone.
grant select on dagwright.signal_waits to dagwright_tenant;
