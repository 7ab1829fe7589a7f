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
