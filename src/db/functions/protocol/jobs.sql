-- A time-ordered id (RFC 9562, UUIDv7, milliseconds).
create or replace function dagwright.uuid_v7() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Wakes workers: one graphile job per payload. With turns.sql the only way into graphile's tables; runs as the owner of both schemas.
-- Jobs that wait for a permit cannot be taken before a pass of turns.sql gives them one; add_jobs_v1 is of the release before.
create or replace function dagwright.add_jobs_v2(payloads json[], priority int, waits_for_permits boolean) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, case when waits_for_permits then now() + interval '100 years' end, 32767, null,
      (10 - priority + case when waits_for_permits then 100 else 0 end)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
$$;

-- Wakes a worker with this payload, but not before so many milliseconds.
create or replace function dagwright.add_later_job_v1(payload json, priority int, ms float8) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[('dagwright', payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- Hands ready tasks of one execution to the queue as at most `slots` jobs, each with a list and the tenant (`o`: see turns.sql).
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  n constant int := cardinality(ts);
  size constant int := greatest(1, ceil(n::numeric / greatest(slots, 1))::int);
  owner_ record;
begin
  if n = 0 then return; end if;
  select o.tenant_id as id, t.max_running_tasks is not null as waits_for_permits into owner_
    from dagwright.workflow_executions o cross join lateral (select max_running_tasks from dagwright.tenants where id = o.tenant_id offset 0) t
    where o.id = e;
  perform dagwright.add_jobs_v2(array(
    select json_build_object('e', e, 'o', owner_.id, 't', json_agg(json_build_array(ts[k], ms[k]) order by k))
    from generate_series(1, n) as k group by (k - 1) / size order by (k - 1) / size), priority, owner_.waits_for_permits);
end $$;

-- Hands an execution to the queue: it is opened, or concluded, by whoever takes the job.
create or replace function dagwright.enqueue_execution_v1(e uuid) returns void
language sql as $$
  select dagwright.add_jobs_v2(array[json_build_object('e', o.id, 'o', o.tenant_id)], o.priority, t.max_running_tasks is not null)
  from dagwright.workflow_executions o join dagwright.tenants t on t.id = o.tenant_id where o.id = e
$$;
