-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/jobs.sql
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

-- src/db/functions/task-needs.sql
-- Which types the nodes of a definition need beside COMMON_TYPES (db/protocol/job-kinds.ts), each list in order: { usual: what most
-- nodes need, or null; others: { task: what it needs instead, or null } }; null: no node needs any. Read whenever tasks become ready:
-- mostly all nodes need the same, and however many there are, that is a short value.
create or replace function dagwright.task_needs_v2(definition json) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
  with needed as (
    select node->>'taskId' as task_id, jsonb_agg(distinct t.type) filter (where t.type <> all(array['aggregation', 'condition', 'external_api',
      'fail', 'model_inference', 'parallel', 'terminate', 'transformation', 'wait'])) as types
    from jsonb_path_query(definition::jsonb, 'lax $.nodes[*]') node
    cross join lateral (
      select node union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.task')
      union all select jsonb_path_query(node, 'lax $ ? (@.taskType == "parallel").config.branches.*')) p(part)
    cross join lateral (
      select part->>'taskType'
      union all select jsonb_path_query(part, 'lax $ ? (@.taskType == "model_inference").config.tools[*].task.taskType') #>> '{}') t(type)
    where node->>'taskId' is not null group by 1),
  usual as (select types from needed group by types order by count(*) desc, types limit 1)
  select jsonb_build_object('usual', usual.types, 'others', coalesce(jsonb_object_agg(needed.task_id, needed.types)
    filter (where needed.types is distinct from usual.types), '{}'))
  from needed cross join usual group by usual.types having count(needed.types) > 0
$$;

-- src/db/functions/task-types.sql
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

-- src/db/functions/turns.sql
-- Turns of tenants in the queue. graphile-worker takes the jobs with the lowest (priority, run_at). A job is added under the priority of
-- its execution and the moment it came: the right order within a tenant, but not between tenants. Where several wait, a pass gives the
-- next jobs of each a turn: they go to the front (priority -1), with a virtual time as run_at, as in start-time fair queueing.
--   T1  A tenant's next turn is one step after its last, and never before the earliest turn that is still to come: whoever comes late
--       catches up with nobody, and nobody who waits is overtaken by more than its window. A step is 1/weight.
--   T2  Within a tenant a higher priority goes first; each step of priority is worth a minute of waiting, so that nothing starves.
--   T3  At most a window of jobs of a tenant has turns: what comes later under a higher priority waits for so many of its own at most.
--   T4  All that it knows stands in the queue. A start takes no lock and keeps no count, so that a transaction that a caller holds open
--       stops nobody. A pass that dies before its commit has changed nothing; after it, the jobs wait in an order that is fair too.
--   T5  One pass at a time; jobs that are being taken are left alone. Without passes every job is still taken, by priority and age.
--   T6  Jobs of a tenant with max_running_tasks cannot be taken before they have a permit (add_jobs_v2 puts them 100 years and 100
--       priorities off). A permit is a key `tenant#number` of the job, which the queue holds until its lane has ended: the unique key
--       is the limit, also where a pass counts wrongly, and a worker that dies keeps its permits until it is taken over.
--   T7  A pass gives turns, permits and the reserve only to jobs of the kinds that its worker takes (task-types.sql; null: any), so that
--       what it cannot do, or nobody, is not in the way of the rest of its tenant. Their own workers give those turns.
-- Locks: rows of the queue only, and none is waited for.
-- Jobs of a line are asked for by comparing rows: by `priority = p` the planner may take graphile's index, and read all tenants' jobs.
create index if not exists jobs_by_tenant on graphile_worker._private_jobs ((coalesce(payload->>'o', '')), priority, run_at)
  where is_available;

-- Each tenant and priority of which jobs wait, and since when; -1: those that have turns. One look at the index for each.
create or replace function dagwright.waiting_lines_v1() returns table (tenant text, priority int, since timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
  with recursive heads as (
    (select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1)
    union all
    select n.tenant, n.priority, n.run_at from heads h cross join lateral (
      select coalesce(payload->>'o', '') as tenant, j.priority, j.run_at from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) > (h.tenant, h.priority)
      order by coalesce(payload->>'o', ''), j.priority, j.run_at limit 1) n)
  select h.tenant, h.priority::int, case when h.priority >= 90 then h.run_at - interval '100 years' else h.run_at end from heads h
$$;

-- The permits of a tenant that no job has (T6), in order; `permits`: how many it has in all. Called by move_to_front_v2, as its owner and
-- under its planner settings.
create or replace function dagwright.free_permits_v1(tenant text, permits int) returns text[]
language plpgsql stable as $$
begin
  return array(select tenant || '#' || n from generate_series(1, permits) n
    where not exists (select from graphile_worker._private_jobs j where j.key = tenant || '#' || n) order by n);
end $$;

-- Gives turns to the next jobs of each line: [{ tenant, priorities, most (turns of it that wait at once), step (microseconds), permits
-- (null: it needs none) }]. Returns how many got one.
create or replace function dagwright.move_to_front_v2(lines jsonb, kinds text[]) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  tasks constant int[] := case when kinds is not null then array(select id from graphile_worker._private_tasks where identifier = any(kinds)) end;
  line record;
  earliest timestamptz;
  given int;
  last_ timestamptz;
  keys text[];
  moved int;
  total int := 0;
begin
  -- Virtual time runs slower than the clock, so that a new beginning is never before what was.
  earliest := coalesce((select j.run_at from graphile_worker._private_jobs j where is_available and j.priority = -1
      and (tasks is null or j.task_id = any(tasks)) order by j.run_at limit 1),
    now_ - interval '1 minute');
  for line in select * from jsonb_to_recordset(lines) as l(tenant text, priorities int[], most int, step float8, permits int) loop
    select count(*), max(j.run_at) into given, last_ from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, -1::smallint)
        and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, -1::smallint) and (tasks is null or j.task_id = any(tasks));
    keys := case when line.permits is not null then dagwright.free_permits_v1(line.tenant, line.permits) end;
    -- T7. Permits of what waits for other workers, where something for this one waits for a permit: they come back with a pass of theirs.
    if cardinality(keys) = 0 and tasks is not null and exists (select from unnest(line.priorities) p cross join lateral (
        select from graphile_worker._private_jobs j where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
          and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and j.task_id = any(tasks) limit 1) j) then
      update graphile_worker._private_jobs j set key = null, priority = 105, run_at = j.run_at + interval '100 years'
        where j.id in (select i.id from graphile_worker._private_jobs i
          where is_available and (coalesce(payload->>'o', ''), i.priority) >= (line.tenant, -1::smallint)
            and (coalesce(payload->>'o', ''), i.priority) <= (line.tenant, -1::smallint) and i.key is not null and i.task_id <> all(tasks)
          for update skip locked);
      keys := dagwright.free_permits_v1(line.tenant, line.permits);
    end if;
    given := least(line.most - given, cardinality(keys));
    continue when given <= 0;
    with next as (
      select w.id, row_number() over (order by w.due, w.id) as place from (
        select j.id, j.due from unnest(line.priorities) p cross join lateral (
          select j.id, j.run_at + p * interval '1 minute' - case when p >= 90 then interval '100 years 100 minutes' else interval '0' end as due
          from graphile_worker._private_jobs j
          where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
            and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and (case when p >= 90 then j.run_at - interval '100 years' else j.run_at end) <= now_
            and (tasks is null or j.task_id = any(tasks))
          order by coalesce(payload->>'o', ''), j.priority, j.run_at limit given for update skip locked) j
        order by 2, 1 limit given) w)
    update graphile_worker._private_jobs j set priority = -1, key = keys[next.place],
      run_at = least(now_, greatest(earliest, last_) + next.place * line.step * interval '1 microsecond')
    from next where j.id = next.id;
    get diagnostics moved = row_count;
    total := total + moved;
  end loop;
  -- Workers with free slots look for jobs only when they are told.
  if total > 0 then perform pg_notify('jobs:insert', '{"r":' || random()::text || ',"count":' || total::text || '}'); end if;
  return total;
end $$;

-- What waits of these tenants without needing a permit, needs one from now on: they have been limited meanwhile. At most `most` jobs.
create or replace function dagwright.hold_for_permits_v1(limited text[], most int) returns void
language sql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
  update graphile_worker._private_jobs j set priority = j.priority + 100, run_at = j.run_at + interval '100 years'
  from unnest(limited) t cross join lateral (
    select i.id from graphile_worker._private_jobs i where is_available and (coalesce(payload->>'o', ''), i.priority) >= (t, 0::smallint)
      and (coalesce(payload->>'o', ''), i.priority) <= (t, 10::smallint)
    limit most for update skip locked) h
  where j.id = h.id
$$;

-- One pass, where it is needed: several tenants wait, some for permits, or a job of lower priority has waited longer than that is worth.
-- Returns which tenants wait (100, the longest first), whether more of what waits for permits may get one at once, and whether any may have to; nothing where another
-- pass is under way.
create or replace function dagwright.give_turns_v2(slots int, kinds text[]) returns table (tenants text[], is_held boolean, is_limited boolean)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  window_ constant int := greatest(32, slots);
  is_aged boolean;
  limited text[];
  lines jsonb;
  count_ int;
  moved int := 0;
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return; end if;
  -- Mostly one tenant waits, under one priority, and nothing is to be done: that is found out at little cost.
  select coalesce(array_agg(w.tenant), '{}'), count(*), coalesce(max(w.priority) >= 90, false),
      exists (select from dagwright.tenants t where t.max_running_tasks is not null)
    into tenants, count_, is_held, is_limited from dagwright.waiting_lines_v1() w;
  if count_ <= 1 and not is_held and not is_limited then
    return next;
    return;
  end if;
  with line as materialized (
      select w.tenant, array_agg(w.priority) filter (where w.priority >= 0) as priorities, coalesce(min(t.weight), 1) as weight,
        min(t.max_running_tasks) as permits, min(w.since) as since,
        coalesce(bool_or(w.priority between 0 and 89) and min(t.max_running_tasks) is not null, false) as is_new,
        (array_agg(w.priority order by w.since + w.priority % 100 * interval '1 minute') filter (where w.priority >= 0))[1]
          > min(w.priority) filter (where w.priority >= 0) as is_aged
      from dagwright.waiting_lines_v1() w left join lateral (select h.weight, h.max_running_tasks from dagwright.tenants h
        where h.id = nullif(w.tenant, '')::uuid offset 0) t on true group by w.tenant)
  select coalesce((array_agg(l.tenant order by l.since))[1:100], '{}'), bool_or(90 <= any(l.priorities)), bool_or(l.is_aged), array_agg(l.tenant) filter (where l.is_new),
      jsonb_agg(jsonb_build_object('tenant', l.tenant, 'priorities', l.priorities, 'most', least(1024, window_ * l.weight),
        'step', 100.0 / l.weight, 'permits', l.permits)) filter (where l.priorities is not null)
    into tenants, is_held, is_aged, limited, lines from line l;
  if limited is not null then perform dagwright.hold_for_permits_v1(limited, 1000); end if;
  if lines is not null and (cardinality(tenants) > 1 or is_held or is_aged) then moved := dagwright.move_to_front_v2(lines, kinds); end if;
  -- Where none could be given, the end of a job, a look at the queue or the pass of five seconds later tries again.
  is_held := coalesce(is_held, false) and moved > 0 or limited is not null;
  return next;
end $$;

-- How many tenants' jobs wait, and how many jobs wait for a permit; looks at no more than `most` of these.
create or replace function dagwright.queue_tenants_v1(most int) returns table (tenants int, held int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (select count(distinct tenant)::int from dagwright.waiting_lines_v1()),
    (select count(*)::int from (select from graphile_worker._private_jobs where is_available and priority >= 90 limit most) j)
$$;

-- Takes, for a worker whose slots are all taken, the next job of each tenant that is not `busy` there, at most `most`: for its reserve
-- (engine/worker/reserve.ts). They are locked as graphile-worker locks them, so that they come again where their worker dies.
create or replace function dagwright.take_reserved_v2(pool text, busy text[], most int, kinds text[]) returns table (id bigint, payload json, added_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  now_ constant timestamptz := clock_timestamp();
  tasks constant int[] := case when kinds is not null then array(select t.id from graphile_worker._private_tasks t where t.identifier = any(kinds)) end;
  line record;
  taken int := 0;
  n int;
begin
  for line in select w.tenant, array_agg(w.priority::smallint) as priorities from dagwright.waiting_lines_v1() w
    where w.priority < 90 and w.tenant <> '' and w.tenant <> all(busy) group by w.tenant order by min(w.since)
  loop
    exit when taken >= most;
    return query update graphile_worker._private_jobs j set locked_at = now_, locked_by = pool, attempts = j.attempts + 1
      where j.id = (select i.id from unnest(line.priorities) p cross join lateral (
          select i.id, i.priority, i.run_at from graphile_worker._private_jobs i where is_available
            and (coalesce(i.payload->>'o', ''), i.priority) >= (line.tenant, p)
            and (coalesce(i.payload->>'o', ''), i.priority) <= (line.tenant, p) and i.run_at <= now_ and (tasks is null or i.task_id = any(tasks))
          order by coalesce(i.payload->>'o', ''), i.priority, i.run_at limit 1 for update skip locked) i
        order by i.priority, i.run_at limit 1)
      returning j.id, j.payload, j.created_at;
    get diagnostics n = row_count;
    taken := taken + n;
  end loop;
end $$;

-- Such jobs have been done.
create or replace function dagwright.end_reserved_v1(pool text, ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from graphile_worker._private_jobs where id = any(ids) and locked_by = pool
$$;

-- src/db/functions/waiting-calls.sql
-- The batches as the release before calls them: it does not know the answer `locked`, so all executions of a batch are locked before it,
-- and it waits for those that somebody has locked. To go with the release after the next.
create or replace function dagwright.settle_v1(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (x.value->>'e')::uuid from jsonb_array_elements(p->'x') x))
    order by o.id for no key update;
  return query select s.* from dagwright.settle_v2(p) s;
end $$;

create or replace function dagwright.settle_completed_v1(w uuid, slots int, ids uuid[], s jsonb, d jsonb, lanes int[], extra int)
returns table (kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update;
  return query select c.* from dagwright.settle_completed_v2(w, slots, ids, s, d, lanes, extra) c;
end $$;

create or replace function dagwright.claim_v1(p jsonb)
returns table (i int, k int, t text, m int, fence bigint, attempt int, recoveries int, phase text)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (c.value->>'e')::uuid from jsonb_array_elements(p->'c') c))
    and o.status = 'running' order by o.id for no key update;
  return query select c.* from dagwright.claim_v2(p) c;
end $$;

create or replace function dagwright.open_v1(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(x) r))
    order by o.id for no key update;
  return query select o.* from dagwright.open_v2(w, slots, x) o;
end $$;

create or replace function dagwright.finish_v1(p jsonb) returns table (e uuid)
language plpgsql set enable_seqscan = off as $$
begin
  perform from dagwright.workflow_executions o where o.id = any(array(select (r.value->>'e')::uuid from jsonb_array_elements(p) r))
    order by o.id for no key update;
  return query select f.e from dagwright.finish_v2(p) f;
end $$;

-- The rows of each execution with itself.
create or replace function dagwright.open_v2(w uuid, slots int, x jsonb) returns table (e uuid, at float8)
language sql as $$
  select o.e, o.at from dagwright.open_v3(w, slots,
    (select jsonb_agg(jsonb_build_object('e', q.value->'e', 'k', q.ordinality - 1)) from jsonb_array_elements(x) with ordinality q), x) o
$$;

-- Its workers know one kind of job.
create or replace function dagwright.give_turns_v1(slots int) returns table (tenants text[], is_held boolean, is_limited boolean)
language sql as $$ select * from dagwright.give_turns_v2(slots, array['dagwright']) $$;

create or replace function dagwright.take_reserved_v1(pool text, busy text[], most int) returns table (id bigint, payload json, added_at timestamptz)
language sql as $$ select * from dagwright.take_reserved_v2(pool, busy, most, array['dagwright']) $$;

-- src/db/functions/who-may-call.sql
-- Who may call which function: nobody but those who are named here. PostgreSQL lets everybody call what is new, and most of these
-- run as the owner, for whatever tenant the session names.
--   W1  A function without a line here is the engine's alone, also one that a later release makes.
--   W2  The caller's are those that are documented for other services; it has no table, so that they are all it can do.
alter default privileges for role dagwright_owner revoke execute on functions from public;
alter default privileges for role dagwright_owner in schema dagwright grant execute on functions to dagwright_engine;
revoke execute on all functions in schema dagwright from public;
grant execute on all functions in schema dagwright to dagwright_engine;

-- For other services, in their own transactions.
grant usage on schema dagwright to dagwright_caller;
grant execute on function dagwright.start_workflow(text, jsonb, text, int, jsonb), dagwright.cancel_execution(uuid, text),
  dagwright.pause_execution(uuid), dagwright.resume_execution(uuid), dagwright.complete_callback(text, jsonb, jsonb),
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text) to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text), dagwright.task_needs_v2(json), dagwright.missing_types_v1(jsonb),
  dagwright.read_needs_v1(uuid), dagwright.needs_of_v1(jsonb, jsonb, text) to dagwright_tenant;
