-- Row-level security and grants of the tables that 0031 makes; as in 0001. A tenant reads them; what people do goes through functions.

do $$
declare
  name text;
  own constant text := '(tenant_id = nullif(current_setting(''app.current_tenant_id'', true), '''')::uuid)';
begin
  foreach name in array array['human_tasks', 'review_assignees', 'review_responses', 'review_links']
  loop
    execute format('alter table dagwright.%I enable row level security', name);
    execute format('alter table dagwright.%I force row level security', name);
    execute format('create policy tenant_isolation on dagwright.%I to dagwright_owner, dagwright_tenant using %s with check %s', name, own, own);
    execute format('create policy engine_sees_all on dagwright.%I to dagwright_engine using (true) with check (true)', name);
  end loop;
end $$;

grant select, insert, update, delete on dagwright.human_tasks, dagwright.review_assignees, dagwright.review_responses, dagwright.review_links to dagwright_engine;
grant select on dagwright.human_tasks, dagwright.review_assignees, dagwright.review_responses to dagwright_tenant;
