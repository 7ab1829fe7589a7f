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

-- The same with a kind, which says whose they are (task-types.sql).
create or replace function dagwright.add_jobs_v3(payloads json[], priority int, waits_for_permits boolean, kind text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select (kind, payload, null, case when waits_for_permits then now() + interval '100 years' end, 32767, null,
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

-- The same with a kind.
create or replace function dagwright.add_later_job_v2(payload json, priority int, ms float8, kind text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array[(kind, payload, null, clock_timestamp() + ms * interval '1 millisecond', 32767, null,
    (10 - priority)::smallint, null)::graphile_worker.job_spec])
$$;

-- Where only workers of the release before are left for a kind, as after going back to it, its jobs become theirs; those that open, where
-- there are no others at all.
create or replace function dagwright.free_kinds_v1() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from dagwright.workers where types is null) then return; end if;
  update graphile_worker._private_jobs j set task_id = k.id
    from graphile_worker._private_tasks k, graphile_worker._private_tasks own
    where k.identifier = 'dagwright' and own.id = j.task_id and own.identifier like 'dagwright:%' and j.is_available
      and not exists (select from dagwright.workers w where case when own.identifier = 'dagwright:open' then w.types is not null
        else w.types ? substr(own.identifier, length('dagwright:') + 1) end);
end $$;

-- Adds a list of ready tasks of one execution, which need the same, as at most `slots` jobs: each has a part of it and the tenant (`o`: see
-- turns.sql).
create or replace function dagwright.add_lists_v1(e uuid, tenant uuid, ts text[], ms int[], slots int, priority int, waits_for_permits boolean,
  needs jsonb) returns void
language plpgsql as $$
declare
  size constant int := greatest(1, ceil(cardinality(ts)::numeric / greatest(slots, 1))::int);
begin
  perform dagwright.add_jobs_v3(array(
    select json_build_object('e', e, 'o', tenant, 't', json_agg(json_build_array(u.t, u.m) order by u.k))
    from unnest(ts, ms) with ordinality u(t, m, k) group by (u.k - 1) / size order by (u.k - 1) / size), priority, waits_for_permits,
    case when needs is null then 'dagwright' else dagwright.job_kind_v1(needs) end);
end $$;

-- Hands ready tasks of one execution to the queue, each as a job of the kind that it needs (task-types.sql).
create or replace function dagwright.enqueue_v1(e uuid, ts text[], ms int[], slots int, priority int) returns void
language plpgsql as $$
declare
  owner_ record;
  part record;
begin
  if cardinality(ts) = 0 then return; end if;
  select o.tenant_id as id, t.max_running_tasks is not null as waits_for_permits, n.usual, n.others into owner_
    from dagwright.workflow_executions o cross join lateral (select max_running_tasks from dagwright.tenants where id = o.tenant_id offset 0) t
    cross join lateral dagwright.read_needs_v1(o.version_id) n
    where o.id = e;
  if owner_.others is null then
    perform dagwright.add_lists_v1(e, owner_.id, ts, ms, slots, priority, owner_.waits_for_permits, owner_.usual);
    return;
  end if;
  for part in
    select g.needs, array_agg(g.t order by g.k) as ts, array_agg(g.m order by g.k) as ms
    from (select u.*, dagwright.needs_of_v1(owner_.usual, owner_.others, u.t) as needs from unnest(ts, ms) with ordinality u(t, m, k)) g
    group by g.needs
  loop
    perform dagwright.add_lists_v1(e, owner_.id, part.ts, part.ms, slots, priority, owner_.waits_for_permits, part.needs);
  end loop;
end $$;

-- Jobs that open executions (K3 of task-types.sql).
create or replace function dagwright.add_openings_v1(payloads json[], priority int, waits_for_permits boolean) returns void
language plpgsql as $$
declare
  of_new json[];
begin
  if exists (select from dagwright.workers where types is null) and exists (select from dagwright.workers where types is not null) then
    of_new := array(select p.value from unnest(payloads) p(value)
      cross join lateral (select version_id from dagwright.workflow_executions where id = (p.value->>'e')::uuid offset 0) o
      cross join lateral (select from dagwright.workflow_versions where id = o.version_id and needs is not null offset 0) v);
    if cardinality(of_new) > 0 then
      perform dagwright.add_jobs_v3(of_new, priority, waits_for_permits, 'dagwright:open');
      payloads := array(select p.value from unnest(payloads) p(value) where not p.value->>'e' = any(array(select n->>'e' from unnest(of_new) n)));
    end if;
  end if;
  if cardinality(payloads) > 0 then perform dagwright.add_jobs_v2(payloads, priority, waits_for_permits); end if;
end $$;

-- Hands an execution to the queue: it is opened, or concluded, by whoever takes the job.
create or replace function dagwright.enqueue_execution_v1(e uuid) returns void
language sql as $$
  select dagwright.add_openings_v1(array[json_build_object('e', o.id, 'o', o.tenant_id)], o.priority, t.max_running_tasks is not null)
  from dagwright.workflow_executions o join dagwright.tenants t on t.id = o.tenant_id where o.id = e
$$;

-- Adds a job again as it came, to be taken after so many milliseconds: its execution is locked, or its tasks are not for the worker that
-- took it.
create or replace function dagwright.put_off_v1(payload json, ms float8) returns void
language plpgsql as $$
declare
  execution record;
  part record;
begin
  select o.priority, o.tenant_id, n.usual, n.others into execution from dagwright.workflow_executions o
    cross join lateral dagwright.read_needs_v1(o.version_id) n
    where o.id = (payload->>'e')::uuid and o.status in ('pending', 'running', 'paused');
  if not found then return; end if;
  if payload->'t' is null or execution.others is null then
    perform dagwright.add_later_job_v2(payload, execution.priority, ms, case when execution.usual is null and execution.others is null
      then 'dagwright' when payload->'t' is null then 'dagwright:open' else dagwright.job_kind_v1(execution.usual) end);
    return;
  end if;
  for part in select dagwright.needs_of_v1(execution.usual, execution.others, l.value->>0) as needs, json_agg(l.value order by l.ordinality) as list
      from json_array_elements(payload->'t') with ordinality l group by 1 loop
    perform dagwright.add_later_job_v2(json_build_object('e', payload->'e', 'o', execution.tenant_id, 't', part.list), execution.priority, ms,
      dagwright.job_kind_v1(part.needs));
  end loop;
end $$;
