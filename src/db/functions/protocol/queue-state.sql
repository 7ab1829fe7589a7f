-- Jobs that are due and not taken, and for how long the oldest has been; looks at no more than `most` of them. A job with a turn has
-- that as its run_at; it was due when it was added.
create or replace function dagwright.queue_state_v1(most int) returns table (waiting int, oldest_seconds float8)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(j.created_at)), 0)::float8
  from (select created_at from graphile_worker._private_jobs where is_available and run_at <= clock_timestamp() order by priority, run_at limit most) j
$$;
