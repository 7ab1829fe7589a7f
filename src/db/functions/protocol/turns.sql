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
