-- Which worker can do which task. A worker registers the task types that it has; a job of tasks that need more than built-in types
-- has a kind (graphile-worker's task identifier) that only workers with that type fetch. What nobody has waits in the queue, unlooked at.
--   K1  What a node needs is made of its definition when that is saved (task-needs.sql, workflow_versions.needs): its own type, those of its parts and
--       of its tools. Null: built-in types of the first release suffice, and every worker takes it.
--   K2  A node that needs several types has the kind of the one that the fewest workers have. Whoever takes it and lacks another
--       leaves it for later (put_off_v1); nobody fails it.
--   K3  A worker of the release before registers nothing: what it has is not known. Where no worker has registered a type, such a one may
--       have it, and the job goes to everybody, as before; where one has, it gets the work. So that release, which fails what it cannot
--       open, is not asked to open what needs more than built-in types as long as a worker of this one lives.

-- The row of a worker, with what it can do. types: { type: hash of its config schema, or null }; schemas: { type: config schema } of those
-- that are not built in, which the API and `apply` check definitions by. Returns its lock key.
create or replace function dagwright.register_worker_v2(worker uuid, host text, pid int, concurrency int, lease_seconds int, types jsonb, schemas json)
returns int language plpgsql as $$
declare
  now_ constant timestamptz := clock_timestamp();
  key int;
begin
  -- In the order of their names, so that two workers cannot wait for each other.
  insert into dagwright.task_types as t (type, schema_hash, config_schema, registered_at)
    select s.key, types->>s.key, s.value, now_ from json_each(schemas) s order by s.key
    on conflict (type, schema_hash) do update set registered_at = now_;
  insert into dagwright.workers (id, host, pid, concurrency, lease_seconds, types, started_at, heartbeat_at, beating_since)
    values (worker, host, pid, concurrency, lease_seconds, types, now_, clock_timestamp(), clock_timestamp()) returning lock_key into key;
  return key;
end $$;

-- What a revision's nodes need: what most do, and null or those that need something else (task-needs.sql). Unpacked once: a large value is
-- stored compressed, and each look at it as it is stored would unpack it anew. Both functions become part of the statement that calls them.
create or replace function dagwright.read_needs_v1(version uuid) returns table (usual jsonb, others jsonb)
language sql stable as $$
  select nullif(n.needs->'usual', 'null'), nullif(n.needs->'others', '{}')
  from (select (select v.needs || '{}' from dagwright.workflow_versions v where v.id = version) as needs offset 0) n
$$;

-- Of that, what a task needs.
create or replace function dagwright.needs_of_v1(usual jsonb, others jsonb, task text) returns jsonb
language sql immutable parallel safe as $$
  select case when others ? task then nullif(others->task, 'null') else usual end
$$;

-- The kind of a job of tasks with these needs (K2, K3).
create or replace function dagwright.job_kind_v1(needs jsonb) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case when needs is null then 'dagwright'
    when exists (select from dagwright.workers w where w.types is null) and not exists (select from dagwright.workers w
      where not exists (select from jsonb_array_elements_text(needs) n where (w.types ? n) is not true)) then 'dagwright'
    else 'dagwright:' || (select n from jsonb_array_elements_text(needs) n
      order by (select count(*) from dagwright.workers w where w.types ? n), n limit 1) end
$$;

-- Of these types, which no live worker has; all, where each has one and yet none has all; none, where a worker is of the release before.
create or replace function dagwright.missing_types_v1(needs jsonb) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with live as materialized (select w.types from dagwright.workers w
    where w.heartbeat_at > clock_timestamp() - w.lease_seconds * interval '1 second'),
  needed as materialized (select n as type, exists (select from live where live.types ? n) as is_there from jsonb_array_elements_text(needs) n)
  select case when exists (select from live where live.types is null)
      or exists (select from live where not exists (select from needed where not live.types ? needed.type)) then '{}'
    else (select array_agg(type order by type) from needed where not is_there or not exists (select from needed where not is_there)) end
$$;
