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

create or replace function dagwright.add_jobs_v1(payloads json[], priority int) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select from graphile_worker.add_jobs(array(
    select ('dagwright', payload, null, null, 32767, null, (10 - priority)::smallint, null)::graphile_worker.job_spec
    from unnest(payloads) as payload))
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

-- src/db/functions/pause.sql
-- Pauses an execution of the current tenant: what runs may end, nothing else begins. The deadline and the time of callbacks stand
-- still; timers that come due meanwhile fire when it is resumed.
-- Returns its status afterwards: 'paused', or the terminal status it has; null where there is none.
--   P1  No claim after the commit: every claim is written under the execution's lock, where it sees the status.
--   P2  No wake-up is lost: what becomes ready or due meanwhile is kept in its row, and resume, under the same lock, wakes it.
create or replace function dagwright.pause_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running') then
    update dagwright.task_executions set held_wake_at = wake_at, wake_at = null
      where workflow_execution_id = execution_id and wake_at is not null and status in ('waiting', 'retrying');
    update dagwright.workflow_executions set status = 'paused', paused_at = clock_timestamp() where id = execution_id;
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.pause', 'executions', execution_id::text,
      jsonb_build_object('status', now_status), jsonb_build_object('status', 'paused'));
    now_status := 'paused';
  end if;
  return now_status;
end $$;

-- Lets a paused execution of the current tenant go on. Returns its status afterwards: 'running' (or 'pending', where it had not
-- been opened), or the terminal status it has; null where there is none. One that is not paused stays as it is.
create or replace function dagwright.resume_execution(execution_id uuid) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  x record;
  now_ timestamptz;
  slots constant int := 32;
  ts text[];
  ms int[];
begin
  select id, status, priority, paused_at, started_at, open_tasks, run_at into x from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if not found or x.status <> 'paused' then return x.status; end if;
  now_ := clock_timestamp();
  update dagwright.workflow_executions set paused_at = null, deadline_at = deadline_at + (now_ - x.paused_at),
    status = case when x.started_at is null then 'pending'::dagwright.execution_status else 'running' end
    where id = execution_id;
  update dagwright.task_callbacks set expires_at = expires_at + (now_ - x.paused_at), times_out_at = times_out_at + (now_ - x.paused_at)
    where workflow_execution_id = execution_id and completed_at is null and dagwright.wait_in_pause_v1(waiting_on) = 'stands_still';
  update dagwright.task_executions set held_wake_at = null,
      wake_at = held_wake_at + case when dagwright.wait_in_pause_v1(waiting_on) = 'stands_still' then now_ - x.paused_at else interval '0' end
    where workflow_execution_id = execution_id and held_wake_at is not null;
  select array_agg(task_id order by task_id, map_index), array_agg(map_index order by task_id, map_index) into ts, ms
    from dagwright.task_executions where workflow_execution_id = execution_id and ready_at is not null;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.resume', 'executions', execution_id::text,
    jsonb_build_object('status', 'paused'), jsonb_build_object('status', case when x.started_at is null then 'pending' else 'running' end));
  if x.run_at is not null then
    null; -- start_due_v1 wakes it.
  elsif x.started_at is null or x.open_tasks = 0 then
    perform dagwright.enqueue_execution_v1(execution_id);
  elsif ts is not null then
    perform dagwright.enqueue_v1(execution_id, ts, ms, slots, x.priority);
  end if;
  return case when x.started_at is null then 'pending' else 'running' end;
end $$;

-- src/db/functions/permits.sql
-- Permits for calls to a limited service, for one worker, shared out between users (tenants): `users[i]` makes the call `wanted[i]`. All
-- else as exchange_permits_v1 (services.sql), which is of the release before.
--   F1  While another user waits that has less than its share, nobody gets more than that: the permits in parts as equal as can be, and
--       of a rate's last starts (1,000 at most) likewise. Who waits is who was refused within 3 s.
--   F2  Who holds every permit but the last does not get that one, where another user has asked within ten minutes: a call in its name
--       that never ends keeps no other out. Of a single permit nothing can be kept back.
--   F3  Of those that ask together, who has least goes first.
-- The row of service_limits keeps who asked, and when, and when it was refused: { user: [asked, refused] } in seconds, the 100 newest.
create or replace function dagwright.exchange_permits_v2(service text, worker uuid, released uuid[], wanted uuid[], users text[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  seconds int;
  free int;
  start_ timestamptz;
  want record;
  given int := 0;
  seen jsonb;
  holds jsonb := '{}';
  recent jsonb := '{}';
  others text[];
  waiting text[];
begin
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if not found then
    return query select w, true, false, 0::float8 from unnest(wanted) w;
    return;
  end if;
  delete from dagwright.service_permits p where p.id = any(released);
  if cardinality(wanted) = 0 then return; end if;
  if not exists (select from dagwright.workers w where w.id = worker) then
    return query select w, false, false, 1000::float8 from unnest(wanted) w;
    return;
  end if;
  now_ := clock_timestamp();
  seconds := extract(epoch from now_);
  seen := row_.users;
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}'), row_.max_concurrency - coalesce(sum(h.n), 0) into holds, free from (
      select coalesce(p.used_by, '') as used_by, count(*) as n from dagwright.service_permits p where p.service_id = service group by 1) h;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  select coalesce(array_agg(s.key) filter (where (s.value->>1)::int > seconds - 3), '{}') into waiting from jsonb_each(seen) s;
  if row_.rate_limit is not null and (cardinality(waiting) > 0 or (select count(distinct u) > 1 from unnest(users) u)) then
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}') into recent from (
      select coalesce(s.used_by, '') as used_by, count(*) as n
      from generate_series(greatest(0, row_.starts - least(row_.rate_limit, 1000)), row_.starts - 1) k
      join dagwright.service_starts s on s.service_id = service and s.slot = k % row_.rate_limit
      where s.starts_at > now_ - row_.rate_interval_ms * interval '1 millisecond' group by 1) h;
  end if;
  for want in
    select w.id, w.user_ from (
      select u.id, u.user_, u.place, row_number() over (partition by u.user_ order by u.place)
        + coalesce((holds->>u.user_)::int, 0) + coalesce((recent->>u.user_)::int, 0) as has
      from unnest(wanted, users) with ordinality as u(id, user_, place)) w order by w.has, w.place
  loop
    permit_id := want.id;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or (free > 0 and dagwright.is_fair_share_v1(holds, waiting, want.user_, row_.max_concurrency));
    -- F2.
    if granted and held and free = 1 and row_.max_concurrency > 1 and (holds->>want.user_)::int >= row_.max_concurrency - 1 then
      granted := not exists (select from jsonb_each(seen) s where s.key <> want.user_ and (s.value->>0)::int > seconds - 600);
    end if;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted and not dagwright.is_fair_share_v1(recent, waiting, want.user_, least(row_.rate_limit, 1000)) then
        granted := false;
        wait_ms := greatest(wait_ms, least(1000, row_.rate_interval_ms));
      end if;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at, used_by)
        values (service, (row_.starts + given) % row_.rate_limit, start_, want.user_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at, used_by = excluded.used_by;
        given := given + 1;
        recent := recent || jsonb_build_object(want.user_, coalesce((recent->>want.user_)::int, 0) + 1);
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at, used_by)
        values (want.id, service, worker, now_, want.user_);
      free := free - 1;
      holds := holds || jsonb_build_object(want.user_, coalesce((holds->>want.user_)::int, 0) + 1);
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and free <= 0 and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    -- Written once a minute for who is not refused, once a second for who is.
    seen := seen || jsonb_build_object(want.user_, case when granted then jsonb_build_array(seconds / 60 * 60, 0)
      else jsonb_build_array(seconds / 60 * 60, seconds) end);
    held := held and granted;
    return next;
  end loop;
  if (select count(*) > 100 from jsonb_object_keys(seen)) then
    select jsonb_object_agg(s.key, s.value) into seen from (
      select e.key, e.value from jsonb_each(seen) e order by (e.value->>0)::int desc, (e.value->>1)::int desc limit 100) s;
  end if;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at, users = seen
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at, l.users)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at, seen));
end $$;

-- Whether this user may have one more of `total`: it has less than its share, or nobody waits that has.
create or replace function dagwright.is_fair_share_v1(has jsonb, waiting text[], user_ text, total int) returns boolean
language plpgsql immutable as $$
declare
  share int;
begin
  if waiting <@ array[user_] then return true; end if;
  select ceil(total::numeric / greatest(1, count(distinct k)))::int into share
    from (select jsonb_object_keys(has) as k union select unnest(waiting) union select user_) u;
  return coalesce((has->>user_)::int, 0) < share
    or not exists (select from unnest(waiting) w where w <> user_ and coalesce((has->>w)::int, 0) < share);
end $$;

-- src/db/functions/queue-state.sql
-- Jobs that are due and not taken, and for how long the oldest has been; looks at no more than `most` of them. A job with a turn has
-- that as its run_at; it was due when it was added.
create or replace function dagwright.queue_state_v1(most int) returns table (waiting int, oldest_seconds float8)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*)::int, coalesce(extract(epoch from clock_timestamp() - min(j.created_at)), 0)::float8
  from (select created_at from graphile_worker._private_jobs where is_available and run_at <= clock_timestamp() order by priority, run_at limit most) j
$$;

-- src/db/functions/reconcile.sql
-- Re-enqueues what has been an orphan for 30 seconds, and counts it: in a sound engine it finds nothing.
create or replace function dagwright.reconcile_v1(slots int) returns int
language plpgsql set enable_seqscan = off as $$
declare
  x record;
  n int := 0;
  stale constant timestamptz := clock_timestamp() - interval '30 seconds';
begin
  if not exists (select from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
       where t.ready_at < stale and o.status = 'running')
     and not exists (select from dagwright.workflow_executions where status = 'pending' and run_at is null and created_at < stale)
     and not exists (select from dagwright.workflow_executions where status = 'running' and open_tasks = 0) then
    return 0;
  end if;
  for x in
    select o.id, o.priority, o.status, o.open_tasks, v.ts, v.ms from (
      select execution_id, array_agg(task_id) filter (where task_id is not null) as ts,
        array_agg(map_index) filter (where task_id is not null) as ms
      from dagwright.v_orphans group by execution_id) v
    join dagwright.workflow_executions o on o.id = v.execution_id
    where (o.status = 'pending' and o.created_at < stale) or (o.status = 'running' and o.open_tasks = 0 and o.started_at < stale)
      or exists (select from dagwright.task_executions t where t.workflow_execution_id = o.id and t.ready_at < stale)
    for no key update of o skip locked
  loop
    if x.status = 'pending' or x.open_tasks = 0 then
      perform dagwright.enqueue_execution_v1(x.id);
      n := n + 1;
    else
      perform dagwright.enqueue_v1(x.id, x.ts, x.ms, slots, x.priority);
      n := n + cardinality(x.ts);
    end if;
  end loop;
  if n > 0 then
    insert into dagwright.engine_counters (name, value) values ('reconciler_repairs', n)
      on conflict (name) do update set value = engine_counters.value + excluded.value;
  end if;
  return n;
end $$;

-- src/db/functions/schedules.sql
-- The ledger of schedules. A scheduler reads what is due, decides (core/schedule/decide-ticks.ts) and applies the decision here:
-- one call, one commit, for many schedules.
--   K1  A nominal time gets one row, and its execution starts in the transaction that writes the row: whatever crashes before the
--       commit leaves nothing, and after it everything is done. A call that is sent again finds a higher fence and does nothing.
--   K2  A decision is applied only under the schedule's lock and the fence that it was made under. Every decision and every change
--       of a schedule raises the fence, so two processes, or a process and an edit, cannot both act on what was read.
--   K3  The primary key of schedule_ticks is the guard: only who inserts the row of a nominal time (or turns a missed or buffered one)
--       starts an execution for it.
--   K4  Only the database's clock is asked.
--   K5  What cannot start makes its own tick `missed` with the reason, and touches no other schedule.
--   K6  An execution that is to be cancelled and is held by somebody leaves its schedule to the next pass, and holds up no other.
-- Order of locks: schedules by id (those that are locked are left to the next pass), their ticks, new executions, the executions to
-- cancel by id. Editing, pausing, deleting and backfill take the schedule's lock first as well.

-- Records and starts what was decided. p: [{ id, fence, moves (next_run_at and due_at are set), nextRunAt, dueAt, revision (that the
-- input was checked against), promote (id of the execution if a buffered tick fires now), refusal (why it may not fire, null: it may),
-- ticks: [{ at, status, reason, execution (id, where it fires) }] }]. Ids are the schedules'. Returns { applied, fired }.
create or replace function dagwright.apply_ticks_v1(p jsonb) returns jsonb
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  now_ timestamptz;
  ids uuid[];
  fired int;
  x record;
begin
  -- K2. A row that was changed since is judged again as it is now.
  select array_agg(l.id) into ids from (
    select s.id from jsonb_to_recordset(p) as r(id uuid, fence bigint) join dagwright.schedules s on s.id = r.id
    where s.fence = r.fence order by s.id for no key update of s skip locked) l;
  -- K6. Taken without waiting, so out of the order of locks; what could not be had is there below.
  with running as materialized (
      select t.schedule_id, o.id from dagwright.schedules s join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
      join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
      where s.id = any(ids) and s.overlap_policy = 'cancel_other'),
    taken as materialized (
      select o.id from dagwright.workflow_executions o where o.id = any(array(select id from running)) order by o.id for no key update of o skip locked)
  select array_agg(i.id) into ids from unnest(ids) as i(id)
    where not exists (select from running r where r.schedule_id = i.id and r.id not in (select id from taken));
  if ids is null then return '{"applied": 0, "fired": 0}'; end if;
  now_ := clock_timestamp();
  perform dagwright.pause_failed_schedules_v1(ids);
  update dagwright.schedule_ticks t set is_open = false
  where t.schedule_id = any(ids) and t.is_open and t.status <> 'buffered'
    and not exists (select from dagwright.workflow_executions o where o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused'));
  -- The first buffered tick, where nothing is in its way.
  update dagwright.schedule_ticks t set decided_at = now_,
    status = case when b.refusal is null then 'fired' else 'missed' end::dagwright.tick_status, reason = b.refusal, is_open = b.refusal is null,
    workflow_execution_id = case when b.refusal is null then b.promote end
  from (select s.id, s.tenant_id, r.promote, r.refusal, (select min(f.scheduled_at) from dagwright.schedule_ticks f
          where f.schedule_id = s.id and f.is_open and f.status = 'buffered') as at
        from jsonb_to_recordset(p) as r(id uuid, promote uuid, refusal text) join dagwright.schedules s on s.id = r.id
        where s.id = any(ids) and s.status = 'active' and r.promote is not null and (s.overlap_policy in ('allow_all', 'cancel_other')
          or not exists (select from dagwright.schedule_ticks f where f.schedule_id = s.id and f.is_open and f.status = 'fired'))) b
  where t.tenant_id = b.tenant_id and t.schedule_id = b.id and t.scheduled_at = b.at;
  -- K3. What was due when the schedule came to be paused above is told as missed.
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, reason, is_open)
  select s.tenant_id, s.id, t.at, case when s.status = 'active' then t.status else 'missed' end,
    case when s.status = 'active' then t.execution end, now_, case when s.status = 'active' then t.reason else 'the schedule was paused' end,
    s.status = 'active' and t.status in ('fired', 'buffered')
  from jsonb_to_recordset(p) as r(id uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
  cross join lateral jsonb_to_recordset(r.ticks) as t(at timestamptz, status dagwright.tick_status, reason text, execution uuid)
  where s.id = any(ids)
  on conflict do nothing;
  fired := dagwright.start_ticks_v1(p, 'fired', null);
  -- cancel_other: what ran before the tick that has just started.
  for x in
    select o.id, o.tenant_id, o.status, s.name from jsonb_to_recordset(p) as r(id uuid) join dagwright.schedules s on s.id = r.id
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open and t.status = 'fired'
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
    where s.id = any(ids) and s.overlap_policy = 'cancel_other' and exists (select from dagwright.schedule_ticks n
      where n.schedule_id = s.id and n.is_open and n.status = 'fired' and n.decided_at = now_ and n.scheduled_at > t.scheduled_at)
    order by o.id for no key update of o
  loop
    perform dagwright.end_execution_v1(x.id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', format('the next run of schedule "%s" began', x.name)), null, clock_timestamp());
    perform dagwright.audit_v1(x.tenant_id, 'executions.cancel', 'executions', x.id::text, jsonb_build_object('status', x.status),
      jsonb_build_object('status', 'cancelled', 'reason', format('the next run of schedule "%s" began', x.name)));
  end loop;
  update dagwright.schedules s set fence = s.fence + 1,
    next_run_at = case when r.moves and s.status = 'active' then r."nextRunAt" else s.next_run_at end,
    due_at = case when r.moves and s.status = 'active' then r."dueAt" else s.due_at end,
    last_run_at = greatest(s.last_run_at, (select max(t.at) from jsonb_to_recordset(r.ticks) as t(at timestamptz))),
    last_execution_id = coalesce((select t.workflow_execution_id from dagwright.schedule_ticks t where t.schedule_id = s.id and t.is_open
      and t.status = 'fired' and t.decided_at = now_ order by t.scheduled_at desc limit 1), s.last_execution_id)
  from jsonb_to_recordset(p) as r(id uuid, moves boolean, "nextRunAt" timestamptz, "dueAt" timestamptz, ticks jsonb)
  where s.id = r.id and s.id = any(ids);
  return jsonb_build_object('applied', cardinality(ids), 'fired', fired);
end $$;

-- Starts the executions of the ticks of this call that have this status, as p of apply_ticks_v1 names them; `by` null: the schedule
-- itself. How many started; the others become missed. The caller holds the schedules' locks.
create or replace function dagwright.start_ticks_v1(p jsonb, wanted dagwright.tick_status, by text) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
  n int := 0;
  refused int;
begin
  for x in
    select w.tenant_id, jsonb_agg(w.item || jsonb_build_object('i', w.i)) as items, array_agg(w.id order by w.i) as schedules,
      array_agg(w.scheduled_at order by w.i) as times
    from (
      select s.id, s.tenant_id, t.scheduled_at, row_number() over (partition by s.tenant_id order by t.scheduled_at, s.id)::int as i,
        jsonb_strip_nulls(jsonb_build_object('id', t.workflow_execution_id, 'workflowId', s.workflow_id, 'revision', r.revision, 'scope', 'schedule',
          'key', 'schedule:' || s.id || ':' || at.text, 'priority', s.priority, 'triggerType', 'schedule',
          'trigger', jsonb_build_object('scheduledAt', at.text, 'scheduleId', s.id, 'scheduleName', s.name),
          'createdBy', coalesce(by, 'schedule:' || s.name))) || jsonb_build_object('input', s.input) as item
      from jsonb_to_recordset(p) as r(id uuid, revision int, promote uuid, ticks jsonb) join dagwright.schedules s on s.id = r.id
      cross join lateral (select r.promote as execution where r.promote is not null
        union all select e.execution from jsonb_to_recordset(r.ticks) as e(execution uuid) where e.execution is not null) e
      join dagwright.schedule_ticks t on t.workflow_execution_id = e.execution and t.schedule_id = s.id and t.status = wanted
      cross join lateral (select to_char(t.scheduled_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as text) at) w
    group by w.tenant_id order by w.tenant_id
  loop
    update dagwright.schedule_ticks t set
      status = case when r.problem is null then t.status else 'missed' end,
      reason = case r.problem when 'not_found' then 'the workflow does not exist' when 'not_active' then 'the workflow is not active'
        when 'tenant_suspended' then 'the tenant is suspended' when 'tier_too_low' then 'the workflow needs a tenant of a higher tier'
        when 'too_many_starts' then 'the tenant has started as many executions within a minute as it may'
        when 'too_many_waiting' then 'the tenant has as many executions waiting as it may' else r.problem end,
      is_open = r.problem is null, workflow_execution_id = case when r.problem is null then r.id end
    from dagwright.start_executions_v1(x.tenant_id, x.items) r
    where (r.problem is not null or r.existing)
      and t.tenant_id = x.tenant_id and t.schedule_id = x.schedules[r.i] and t.scheduled_at = x.times[r.i];
    select count(*) into refused from dagwright.schedule_ticks t, unnest(x.schedules, x.times) u(schedule_id, at)
      where t.tenant_id = x.tenant_id and t.schedule_id = u.schedule_id and t.scheduled_at = u.at and t.status = 'missed';
    n := n + cardinality(x.times) - refused;
  end loop;
  return n;
end $$;

-- Pauses those of these schedules, whose locks the caller holds, that ask for it and of which an execution has failed.
create or replace function dagwright.pause_failed_schedules_v1(ids uuid[]) returns void
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  for x in
    select s.id, (array_agg(o.id order by o.completed_at))[1] as failed from dagwright.schedules s
    join dagwright.schedule_ticks t on t.schedule_id = s.id and t.is_open
    join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status = 'failed'
    where s.id = any(ids) and s.pause_on_failure and s.status = 'active' group by s.id
  loop
    update dagwright.schedules set status = 'paused', paused_reason = format('execution %s failed', x.failed),
      next_run_at = null, due_at = null, updated_at = clock_timestamp() where id = x.id;
    update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = 'the schedule was paused'
      where schedule_id = x.id and is_open and status = 'buffered';
  end loop;
end $$;

-- Schedules of which something has ended, or that have a buffered tick with nothing in its way: in one page of open ticks after a
-- place. `last_*` is the place to go on after; null: that was the last page.
create or replace function dagwright.ended_ticks_v1(after_schedule uuid, after_at timestamptz, most int,
  out schedule_ids uuid[], out last_schedule uuid, out last_at timestamptz)
language plpgsql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  x record;
begin
  with page as materialized (
      select t.schedule_id, t.scheduled_at, t.status, t.workflow_execution_id from dagwright.schedule_ticks t
      where t.is_open and (t.schedule_id, t.scheduled_at) > (after_schedule, after_at) order by t.schedule_id, t.scheduled_at limit most)
  select
    array(
      select p.schedule_id from page p where p.status <> 'buffered' and not exists (select from dagwright.workflow_executions o
        where o.id = p.workflow_execution_id and o.status in ('pending', 'running', 'paused'))
      union
      select b.schedule_id from (select distinct schedule_id from page where status = 'buffered') b
      join dagwright.schedules s on s.id = b.schedule_id
      where s.overlap_policy in ('allow_all', 'cancel_other') or not exists (select from dagwright.schedule_ticks t
        join dagwright.workflow_executions o on o.id = t.workflow_execution_id and o.status in ('pending', 'running', 'paused')
        where t.schedule_id = b.schedule_id and t.is_open and t.status = 'fired')) as ids,
    count(*) as n,
    (select p.schedule_id from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as s,
    (select p.scheduled_at from page p order by p.schedule_id desc, p.scheduled_at desc limit 1) as at
    into x from page;
  schedule_ids := x.ids;
  if x.n = most then
    last_schedule := x.s;
    last_at := x.at;
  end if;
end $$;

-- Makes rows for nominal times that will not fire and, with `gives_up`, of what is buffered. Takes the schedule's lock, whoever calls:
-- a row of a tick that is not committed would hold up a pass of any scheduler, for all tenants, while that passes by a locked schedule.
create or replace function dagwright.miss_ticks_v1(schedule uuid, times timestamptz[], why text, gives_up boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = dagwright.current_tenant() for no key update;
  if not found then return; end if;
  update dagwright.schedule_ticks set status = 'missed', is_open = false, reason = why
    where gives_up and tenant_id = dagwright.current_tenant() and schedule_id = schedule and is_open and status = 'buffered';
  insert into dagwright.schedule_ticks (tenant_id, schedule_id, scheduled_at, status, decided_at, reason)
  select s.tenant_id, s.id, t.at, 'missed', clock_timestamp(), why from dagwright.schedules s, unnest(times) as t(at)
    where s.id = schedule and s.tenant_id = dagwright.current_tenant()
  on conflict do nothing;
end $$;

-- Starts the nominal times that have no execution: without a row, or missed. p: [{ at, execution }]. Two at once start each time once:
-- both go through the schedule's lock. Returns the ticks of this call, `backfilled` or, where nothing could start, `missed`.
create or replace function dagwright.backfill_schedule_v1(schedule uuid, revision int, p jsonb)
returns table (scheduled_at timestamptz, execution_id uuid, reason text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  taken timestamptz[];
begin
  perform from dagwright.schedules s where s.id = schedule and s.tenant_id = tenant for no key update;
  if not found then return; end if;
  with made as (
    insert into dagwright.schedule_ticks as t (tenant_id, schedule_id, scheduled_at, status, workflow_execution_id, decided_at, is_open)
    select tenant, schedule, r.at, 'backfilled', r.execution, clock_timestamp(), true
    from jsonb_to_recordset(p) as r(at timestamptz, execution uuid)
    on conflict (tenant_id, schedule_id, scheduled_at) do update set status = 'backfilled', workflow_execution_id = excluded.workflow_execution_id,
      decided_at = excluded.decided_at, reason = null, is_open = true
    where t.status = 'missed'
    returning t.scheduled_at)
  select array_agg(made.scheduled_at) into taken from made;
  perform dagwright.start_ticks_v1(jsonb_build_array(jsonb_build_object('id', schedule, 'revision', revision, 'ticks', p)), 'backfilled',
    dagwright.current_actor());
  perform dagwright.audit_v1(tenant, 'schedules.backfill', 'schedules', schedule::text, null, jsonb_build_object('started', coalesce(cardinality(taken), 0)));
  return query select t.scheduled_at, t.workflow_execution_id, t.reason from dagwright.schedule_ticks t
    where t.tenant_id = tenant and t.schedule_id = schedule and t.scheduled_at = any(taken) order by t.scheduled_at;
end $$;

-- Starts the schedule's workflow at once, whatever its status: no tick. The execution's id, or why it cannot start; no row where there
-- is no such schedule.
create or replace function dagwright.run_schedule_v1(schedule uuid, execution uuid, revision int)
returns table (execution_id uuid, problem text)
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select r.id, r.problem from dagwright.schedules s
  cross join lateral dagwright.start_executions_v1(s.tenant_id, jsonb_build_array(jsonb_build_object('i', 0, 'id', execution,
    'workflowId', s.workflow_id, 'revision', revision, 'input', s.input, 'priority', s.priority, 'triggerType', 'schedule',
    'trigger', jsonb_build_object('scheduledAt', to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'scheduleId', s.id, 'scheduleName', s.name, 'runNow', true), 'createdBy', dagwright.current_actor()))) r
  where s.id = schedule and s.tenant_id = dagwright.current_tenant()
$$;

-- src/db/functions/start-and-open.sql
-- Starts executions of one tenant, and opens some of them for a worker in the same commit: those of p that say `open`, by
-- `openings` (as open_v1 reads it). Where its tasks need permits, none is opened, and all get jobs. It keeps what start_executions_v1 and open_v1 keep; between them nobody sees a row.
-- Rows: first the answers of start_executions_v1; then, with i null, each execution that was opened: when, and what of it was
-- stored in another form than it was sent in.
create or replace function dagwright.start_and_open_v1(tenant uuid, p jsonb, worker uuid, slots int, openings jsonb)
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
    from dagwright.open_v1(worker, slots, openings) o
    cross join lateral (select * from dagwright.workflow_executions h where h.id = o.e offset 0) x;
end $$;

-- src/db/functions/start-due.sql
-- Hands executions whose runAt has come to the queue, at most `most`, and as many of those that were held; locked ones wait for the
-- next pass.
--   D1  What comes due while its tenant is suspended is held: it leaves the index of what is due, so that no later pass reads it again,
--       and what came due after it for other tenants is not behind it.
--   D2  Held ones are found by tenant, one look at the index for each tenant that has some, and start when that tenant is active
--       again. Every pass asks, so nobody has to tell, and a status that changes beside a pass is seen by the next.
-- `coalesce(status = 'pending', false)` leads the planner to no index of what is open: those of times are the ones.
create or replace function dagwright.start_due_v1(most int) returns int
language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  x record;
  n int := 0;
  held int;
begin
  -- D1. A pass goes on past what it held, but not without end.
  for round in 1..16 loop
    held := 0;
    for x in
      with due as materialized (
        select o.id, t.status = 'active' as may_start from (
            select id, tenant_id from dagwright.workflow_executions
            where run_at <= now_ and run_at is not null and not is_held and coalesce(status = 'pending', false)
            order by run_at limit most - n for no key update skip locked) o
          cross join lateral (select status from dagwright.tenants where id = o.tenant_id offset 0) t),
      held as (
        update dagwright.workflow_executions o set is_held = true from due where o.id = due.id and not due.may_start returning o.id),
      woken as (
        update dagwright.workflow_executions o set run_at = null from due where o.id = due.id and due.may_start
          returning o.id, o.priority, o.tenant_id)
      select w.priority, t.max_running_tasks is not null as waits_for_permits,
        array_agg(json_build_object('e', w.id, 'o', w.tenant_id)) as payloads, count(*) as k
      from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
      union all select null, null, null, count(*) from held
    loop
      if x.payloads is null then
        held := x.k;
      else
        perform dagwright.add_jobs_v2(x.payloads, x.priority, x.waits_for_permits);
        n := n + x.k;
      end if;
    end loop;
    exit when held = 0 or n >= most;
  end loop;
  -- D2.
  for x in
    with recursive holding as (
      (select tenant_id from dagwright.workflow_executions where is_held and run_at is not null order by tenant_id, run_at limit 1)
      union all
      select (select o.tenant_id from dagwright.workflow_executions o where o.is_held and o.run_at is not null and o.tenant_id > h.tenant_id
        order by o.tenant_id, o.run_at limit 1) from holding h where h.tenant_id is not null),
    free as materialized (
      select o.id from holding h
      cross join lateral (select status from dagwright.tenants where id = h.tenant_id offset 0) t
      cross join lateral (select e.id from dagwright.workflow_executions e
        where e.tenant_id = h.tenant_id and e.is_held and e.run_at is not null and coalesce(e.status = 'pending', false)
        order by e.run_at limit most for no key update skip locked) o
      where t.status = 'active' limit most),
    woken as (
      update dagwright.workflow_executions o set run_at = null, is_held = false from free where o.id = free.id
      returning o.id, o.priority, o.tenant_id)
    select w.priority, t.max_running_tasks is not null as waits_for_permits,
      array_agg(json_build_object('e', w.id, 'o', w.tenant_id)) as payloads, count(*) as k
    from woken w cross join lateral (select max_running_tasks from dagwright.tenants where id = w.tenant_id offset 0) t group by 1, 2
  loop
    perform dagwright.add_jobs_v2(x.payloads, x.priority, x.waits_for_permits);
    n := n + x.k;
  end loop;
  return n;
end $$;

-- src/db/functions/start.sql
-- Records starts for one tenant: an execution row, a job and, with an idempotency key, its row. Nothing else, on every
-- path. p: [{ i, id, workflowId, input, key?, scope?, requestHash? (hex), priority?, triggerType?, trigger?, metadata?, createdBy?,
-- revision?, runAt? (opened only then), open? (start_and_open_v1 opens it: no job) }]. Runs as the owner under the tenant's policy; a repeated key returns the first
-- execution, and an id that was started already is not started again. Problems: not_found, not_active, tenant_suspended,
-- tier_too_low, key_reused (the key came with another requestHash). Every row is found by its whole key, behind `offset 0`:
-- what was planned as a join or a hashed subquery while the tables were new would read all of the tenant's rows, ever after.
-- Where the operator has limited the tenant, no more start than there is room for (start_room_v1); the others are too_many_starts or
-- too_many_waiting.
create or replace function dagwright.start_executions_v1(tenant uuid, p jsonb)
returns table (i int, id uuid, existing boolean, problem text)
language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  now_ timestamptz;
  before text := current_setting('app.current_tenant_id', true);
  has_keys constant boolean := jsonb_path_exists(p, '$[*].key');
  opening constant uuid[] := case when jsonb_path_exists(p, '$[*].open') then array(select (o.value->>'id')::uuid
    from jsonb_array_elements(p) o where o.value->'open' = 'true') end;
  bad text;
  count_ int := 0;
  jobs record;
  owner_ record;
  room int;
  no_room text;
begin
  select r.priority::text into bad from jsonb_to_recordset(p) as r(priority int) where r.priority not between 1 and 10 limit 1;
  if found then raise exception 'priority must be 1 to 10, got %', bad using errcode = '22023'; end if;
  perform set_config('app.current_tenant_id', tenant::text, true);
  select t.status = 'active' as is_active, t.tier, t.max_running_tasks is not null as waits_for_permits,
    coalesce(t.max_starts_per_minute, t.max_waiting_executions) is not null as is_limited into owner_ from dagwright.tenants t where t.id = tenant;
  if owner_.is_limited then select * into room, no_room from dagwright.start_room_v1(tenant); end if;
  now_ := clock_timestamp();
  if has_keys then
    -- In the order of the keys, so that two batches cannot wait for each other.
    insert into dagwright.idempotency_keys (tenant_id, scope, key, workflow_execution_id, request_hash, created_at)
    select tenant, coalesce(r.scope, 'start:' || r."workflowId"), r.key, r.id, decode(r."requestHash", 'hex'), now_
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text, "requestHash" text)
    cross join lateral (select from dagwright.workflow_definitions d join dagwright.workflow_versions v
      on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier offset 0) v
    where r.key is not null order by 2, 3, r.i
    on conflict do nothing;
  end if;
  for jobs in
    with started as (
      insert into dagwright.workflow_executions (id, tenant_id, workflow_id, revision, version_id, priority, trigger_type, trigger,
        input, metadata, created_by, created_at, run_at)
      select r.id, tenant, r."workflowId", v.revision, v.id, coalesce(r.priority, 5), coalesce(r."triggerType", 'sql')::dagwright.trigger_type,
        r.trigger, coalesce(r.input, 'null'), r.metadata, r."createdBy", now_, case when r."runAt" > now_ then r."runAt" end
      from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, input jsonb, key text, scope text, priority int,
        "triggerType" text, trigger jsonb, metadata jsonb, "createdBy" text, "runAt" timestamptz)
      cross join lateral (select v.id, v.revision from dagwright.workflow_definitions d join dagwright.workflow_versions v
        on v.tenant_id = d.tenant_id and v.workflow_id = d.workflow_id and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision)
        where d.tenant_id = tenant and d.workflow_id = r."workflowId" and d.status = 'active' and owner_.is_active and v.min_tier <= owner_.tier offset 0) v
      where r.key is null or exists (select from dagwright.idempotency_keys k where k.tenant_id = tenant
        and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key and k.workflow_execution_id = r.id offset 0)
      limit room
      on conflict do nothing
      returning id, priority, run_at)
    select priority, count(*)::int as n, array_agg(json_build_object('e', id, 'o', tenant))
      filter (where run_at is null and (opening is null or not id = any(opening))) as payloads from started group by priority
  loop
    count_ := count_ + jobs.n;
    if jobs.payloads is not null then perform dagwright.add_jobs_v2(jobs.payloads, jobs.priority, owner_.waits_for_permits); end if;
  end loop;
  -- A key without its execution (the workflow changed its status meanwhile) must not answer for one later.
  if has_keys then
    delete from dagwright.idempotency_keys k
      using jsonb_to_recordset(p) as r(id uuid, "workflowId" text, key text, scope text)
      cross join lateral (select h.ctid as tid from dagwright.idempotency_keys h where h.tenant_id = tenant
        and h.scope = coalesce(r.scope, 'start:' || r."workflowId") and h.key = r.key and h.workflow_execution_id = r.id offset 0) h
      where k.ctid = h.tid and not exists (select from dagwright.workflow_executions o where o.id = r.id offset 0);
  end if;
  if count_ = jsonb_array_length(p) and not has_keys then
    return query select r.i, r.id, false, null::text from jsonb_to_recordset(p) as r(i int, id uuid);
  else return query
    select r.i, coalesce(k.workflow_execution_id, r.id), coalesce(k.workflow_execution_id <> r.id, false),
      case when k.workflow_execution_id <> r.id and k.request_hash <> decode(r."requestHash", 'hex') then 'key_reused'
        when k.workflow_execution_id <> r.id or exists (select from dagwright.workflow_executions o where o.id = r.id offset 0) then null
        when owner_.is_active is not true then 'tenant_suspended' when d.status is null then 'not_found'
        when d.status <> 'active' then 'not_active' when v.min_tier > owner_.tier then 'tier_too_low'
        when v.min_tier is null or no_room is null then 'not_found' else no_room end
    from jsonb_to_recordset(p) as r(i int, id uuid, "workflowId" text, revision int, key text, scope text, "requestHash" text)
    left join lateral (select k.workflow_execution_id, k.request_hash from dagwright.idempotency_keys k where has_keys and k.tenant_id = tenant
      and k.scope = coalesce(r.scope, 'start:' || r."workflowId") and k.key = r.key offset 0) k on true
    left join lateral (select d.status, d.pinned_revision, d.latest_revision from dagwright.workflow_definitions d
      where d.tenant_id = tenant and d.workflow_id = r."workflowId" offset 0) d on true
    left join lateral (select v.min_tier from dagwright.workflow_versions v where v.tenant_id = tenant and v.workflow_id = r."workflowId"
      and v.revision = coalesce(r.revision, d.pinned_revision, d.latest_revision) offset 0) v on true;
  end if;
  perform set_config('app.current_tenant_id', coalesce(before, ''), true);
end $$;

-- How many executions may start now within the operator's limits of a tenant, and what refuses the others. What is not committed yet
-- is not counted: starts beside each other may pass the limit by as many as there are at once.
create or replace function dagwright.start_room_v1(tenant uuid, out starts int, out problem text)
language plpgsql stable set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
declare
  limits record;
  left_ int;
begin
  select max_starts_per_minute as per_minute, max_waiting_executions as waiting into limits from dagwright.tenants where id = tenant;
  if limits.per_minute is not null then
    select limits.per_minute - count(*) into starts from (select from dagwright.workflow_executions o
      where o.tenant_id = tenant and o.id > dagwright.first_id_v1(clock_timestamp() - interval '1 minute') limit limits.per_minute) o;
    problem := 'too_many_starts';
  end if;
  if limits.waiting is not null and coalesce(starts, 1) > 0 then
    -- The index of what is open; the status is looked at row by row (see start-due.sql).
    select limits.waiting - count(*) into left_ from (select from dagwright.workflow_executions o where o.tenant_id = tenant
      and o.status in ('pending', 'running', 'paused') and coalesce(o.status = 'pending', false) limit limits.waiting) o;
    if starts is null or left_ < starts then
      starts := left_;
      problem := 'too_many_waiting';
    end if;
  end if;
end $$;

-- The tenant of this session, or an error that shows what to type.
create or replace function dagwright.current_tenant() returns uuid language plpgsql stable as $$
declare
  tenant uuid := nullif(current_setting('app.current_tenant_id', true), '')::uuid;
begin
  if tenant is null then
    raise exception 'no tenant is set' using errcode = '22023',
      hint = 'select set_config(''app.current_tenant_id'', ''00000000-0000-7000-8000-000000000001'', true);  -- tenant "default"; true: for this transaction';
  end if;
  return tenant;
end $$;

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor()))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', workflow_id using errcode = 'P0002',
      hint = 'apply its definition first: dagwright apply FILE';
  elsif started.problem = 'tenant_suspended' then
    raise exception 'the tenant does not exist, or is suspended' using errcode = '55000', hint = 'dagwright tenants list; dagwright tenants update NAME --status active';
  elsif started.problem = 'tier_too_low' then
    raise exception 'workflow "%" needs a tenant of a higher tier', workflow_id using errcode = '55000', hint = 'see minTier of its definition';
  elsif started.problem in ('too_many_starts', 'too_many_waiting') then
    raise exception 'the tenant has %', case started.problem when 'too_many_starts' then 'started as many executions within a minute as it may'
      else 'as many executions waiting as it may' end using errcode = '53400', hint = 'start it again later; the operator''s limits: dagwright tenants show NAME';
  elsif started.problem is not null then
    raise exception 'workflow "%" is not active', workflow_id using errcode = '55000', hint = 'set its status to active';
  end if;
  return started.id;
end $$;

-- Cancels an execution of the current tenant. Returns its status afterwards: 'cancelled', or the terminal status it
-- already had; null where there is none. Once committed, nothing of it starts again.
create or replace function dagwright.cancel_execution(execution_id uuid, reason text default null) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  now_status text;
begin
  select status into now_status from dagwright.workflow_executions
    where id = execution_id and tenant_id = dagwright.current_tenant() for no key update;
  if now_status in ('pending', 'running', 'paused') then
    perform dagwright.end_execution_v1(execution_id, 'cancelled', null,
      jsonb_build_object('code', 'cancelled', 'message', coalesce(reason, 'cancelled on request')), null, clock_timestamp());
    perform dagwright.audit_v1(dagwright.current_tenant(), 'executions.cancel', 'executions', execution_id::text, jsonb_build_object('status', now_status),
      jsonb_strip_nulls(jsonb_build_object('status', 'cancelled', 'reason', reason)));
    now_status := 'cancelled';
  end if;
  return now_status;
end $$;

-- src/db/functions/take-over.sql
-- Takes over what dead workers ran, and forgets them. Dead: its lock is free and two beats were missed, or no beat for
-- its lease; both count from the server's start, so that an outage is no death. The sweeper must itself have been
-- beating as long as the rule that it applies, for the same reason. At most `most` tasks a pass; locked executions wait.
create or replace function dagwright.take_over_v1(sweeper uuid, slots int, most int) returns int
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  now_ timestamptz := clock_timestamp();
  up constant timestamptz := pg_postmaster_start_time();
  mine record;
  dead record;
  x record;
  total int := 0;
  left_ int;
  ts text[];
  ms int[];
begin
  select greatest(beating_since, up) as since into mine from dagwright.workers
    where id = sweeper and heartbeat_at > now_ - interval '7 seconds';
  if not found then return 0; end if;
  for dead in
    select w.id from dagwright.workers w
    where w.id <> sweeper and greatest(w.heartbeat_at, up) < now_ - interval '7 seconds' and (
      (mine.since < now_ - interval '7 seconds'
        and not exists (select from pg_locks k where k.locktype = 'advisory' and k.database = (select oid from pg_database where datname = current_database())
          and k.classid = 1147 and k.objid = w.lock_key::oid and k.granted))
      or (greatest(w.heartbeat_at, up) < now_ - w.lease_seconds * interval '1 second'
        and mine.since < now_ - w.lease_seconds * interval '1 second'))
    for update skip locked
  loop
    left_ := 0;
    for x in
      select o.id, o.priority, o.status, o.tenant_id from dagwright.workflow_executions o
      where o.status in ('running', 'paused') and exists (select from dagwright.task_executions t
        where t.workflow_execution_id = o.id and t.status = 'running' and t.worker_id = dead.id)
      order by o.id limit most
    loop
      perform from dagwright.workflow_executions where id = x.id for no key update skip locked;
      if not found then left_ := left_ + 1; continue; end if;
      -- The attempt that died is kept; more of them than it may have, and the task is not tried again (its next claim fails it).
      -- What had not been entered yet is given back as if it had not been claimed.
      insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id, worker_id, error, started_at, completed_at)
      select x.id, t.task_id, t.map_index, t.attempt_number, t.fence, x.tenant_id, dead.id,
        jsonb_build_object('code', 'worker_lost', 'message', 'the worker that ran this attempt died'), t.started_at, now_
      from dagwright.task_executions t
      where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id and t.started_at is not null;
      with taken as (
        update dagwright.task_executions t set
          status = case when t.waiting_on is null then 'pending'::dagwright.task_status else 'waiting' end,
          fence = t.fence + 1, recoveries = t.recoveries + (t.started_at is not null)::int, ready_at = now_,
          -- A claim from waiting does not count an attempt; the one that a crash took is counted here.
          attempt_number = t.attempt_number - (t.started_at is null and t.waiting_on is null and t.recoveries <= max_recoveries)::int
            + (t.started_at is not null and t.waiting_on is not null and t.recoveries < max_recoveries)::int
        where t.workflow_execution_id = x.id and t.status = 'running' and t.worker_id = dead.id
        returning t.task_id, t.map_index)
      select array_agg(task_id), array_agg(map_index) into ts, ms from taken;
      if ts is not null then
        perform dagwright.enqueue_v1(x.id, ts, ms, slots, x.priority);
        insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, task_id, map_index, at, level, message, fields)
        select dagwright.uuid_v7(), x.tenant_id, x.id, l.task_id, nullif(l.map_index, -1), now_, 'warn',
          'the worker that held this task died: it is taken over', jsonb_build_object('workerId', dead.id)
        from unnest(ts, ms) as l(task_id, map_index);
        total := total + cardinality(ts);
      end if;
    end loop;
    for x in select o.id from dagwright.workflow_executions o
             where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id for no key update skip locked loop
      update dagwright.workflow_executions set concluded_by = sweeper where id = x.id;
      perform dagwright.enqueue_execution_v1(x.id);
    end loop;
    if left_ = 0 and not exists (select from dagwright.workflow_executions o join dagwright.task_executions t
        on t.workflow_execution_id = o.id where o.status in ('running', 'paused') and t.status = 'running' and t.worker_id = dead.id)
      and not exists (select from dagwright.workflow_executions o where o.status = 'running' and o.open_tasks = 0 and o.concluded_by = dead.id) then
      delete from dagwright.workers where id = dead.id;
      perform dagwright.unlock_lost_pools_v1();
    end if;
  end loop;
  return total;
end $$;

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

-- Gives turns to the next jobs of each line: [{ tenant, priorities, most (turns of it that wait at once), step (microseconds), permits
-- (null: it needs none) }]. Returns how many got one.
create or replace function dagwright.move_to_front_v1(lines jsonb) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  now_ constant timestamptz := clock_timestamp();
  line record;
  earliest timestamptz;
  given int;
  last_ timestamptz;
  keys text[];
  moved int;
  total int := 0;
begin
  -- Virtual time runs slower than the clock, so that a new beginning is never before what was.
  earliest := coalesce((select j.run_at from graphile_worker._private_jobs j where is_available and j.priority = -1 order by j.run_at limit 1),
    now_ - interval '1 minute');
  for line in select * from jsonb_to_recordset(lines) as l(tenant text, priorities int[], most int, step float8, permits int) loop
    select count(*), max(j.run_at) into given, last_ from graphile_worker._private_jobs j
      where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, -1::smallint)
        and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, -1::smallint);
    keys := case when line.permits is not null then array(select line.tenant || '#' || n from generate_series(1, line.permits) n
      where not exists (select from graphile_worker._private_jobs j where j.key = line.tenant || '#' || n) order by n) end;
    given := least(line.most - given, cardinality(keys));
    continue when given <= 0;
    with next as (
      select w.id, row_number() over (order by w.due, w.id) as place from (
        select j.id, j.due from unnest(line.priorities) p cross join lateral (
          select j.id, j.run_at + p * interval '1 minute' - case when p >= 90 then interval '100 years 100 minutes' else interval '0' end as due
          from graphile_worker._private_jobs j
          where is_available and (coalesce(payload->>'o', ''), j.priority) >= (line.tenant, p::smallint)
            and (coalesce(payload->>'o', ''), j.priority) <= (line.tenant, p::smallint) and (p >= 90 or j.run_at <= now_)
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
-- Returns which tenants wait (100, the longest first), whether one waits for permits, and whether any may have to; nothing where another
-- pass is under way.
create or replace function dagwright.give_turns_v1(slots int) returns table (tenants text[], is_held boolean, is_limited boolean)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  window_ constant int := greatest(32, slots);
  is_aged boolean;
  limited text[];
  lines jsonb;
  count_ int;
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
  if lines is not null and (cardinality(tenants) > 1 or is_held or is_aged) then perform dagwright.move_to_front_v1(lines); end if;
  is_held := coalesce(is_held, false) or limited is not null;
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
create or replace function dagwright.take_reserved_v1(pool text, busy text[], most int) returns table (id bigint, payload json, added_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_bitmapscan = off as $$
#variable_conflict use_column
declare
  now_ constant timestamptz := clock_timestamp();
  line record;
begin
  for line in select w.tenant, min(w.priority)::smallint as priority from dagwright.waiting_lines_v1() w
    where w.priority < 90 and w.tenant <> '' and w.tenant <> all(busy) group by w.tenant order by min(w.since) limit most
  loop
    return query update graphile_worker._private_jobs j set locked_at = now_, locked_by = pool, attempts = j.attempts + 1
      where j.id = (select i.id from graphile_worker._private_jobs i where is_available
          and (coalesce(i.payload->>'o', ''), i.priority) >= (line.tenant, line.priority)
          and (coalesce(i.payload->>'o', ''), i.priority) <= (line.tenant, line.priority) and i.run_at <= now_
        order by coalesce(i.payload->>'o', ''), i.priority, i.run_at limit 1 for update skip locked)
      returning j.id, j.payload, j.created_at;
  end loop;
end $$;

-- Such jobs have been done.
create or replace function dagwright.end_reserved_v1(pool text, ids bigint[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  delete from graphile_worker._private_jobs where id = any(ids) and locked_by = pool
$$;
