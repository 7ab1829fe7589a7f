-- Row-level security and grants of the table that 0028 makes; as in 0001. The engine alone reads and writes it.
alter table dagwright.task_cache enable row level security;
alter table dagwright.task_cache force row level security;
create policy tenant_isolation on dagwright.task_cache to dagwright_owner, dagwright_tenant
  using (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.current_tenant_id', true), '')::uuid);
create policy engine_sees_all on dagwright.task_cache to dagwright_engine using (true) with check (true);
grant select, insert, update, delete on dagwright.task_cache to dagwright_engine;
