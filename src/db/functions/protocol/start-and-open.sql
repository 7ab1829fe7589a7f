-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say `open`, by
-- `openings` (as open_v1 reads it). It keeps what start_executions_v1 and open_v1 keep; between them nobody sees a row.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened, and when.
create or replace function dagwright.start_and_open_v1(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
returns table (i int, id uuid, existing boolean, problem text, opened_at float8)
language plpgsql as $$
begin
  return query select s.i, s.id, s.existing, s.problem, null::float8 from dagwright.start_executions_v1(tenant, p) s;
  return query select null::int, o.e, null::boolean, null::text, o.at from dagwright.open_v1(worker, slots, openings) o;
end $$;
