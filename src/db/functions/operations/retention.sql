-- The smallest id (UUIDv7) of a moment: what was made before it sorts before this.
create or replace function dagwright.first_id_v1(at timestamptz) returns uuid language sql immutable as $$
  select rpad(lpad(to_hex(greatest(0, extract(epoch from at) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Deletes what ended more than `days` days ago, oldest first: one bounded batch in one commit.
--   R1  Only executions that are terminal and ended before then are touched; locked ones wait for the next pass.
--   R2  An execution's own row goes last, in the commit that takes the last row that belongs to it. More than `most` rows
--       of one table go in several batches, so that no execution makes a batch long.
--   R3  What a batch deleted is added to retention_cleanup_logs in its own commit: the log is exact through any crash.
--   R4  One batch at a time in the whole database; whoever finds another at work is told `busy`.
-- Found by the primary key: ids are made at the start and follow time, so what ended before a moment has a smaller id than
-- any made then. No index on completed_at, which every completion would have to write.
-- A batch looks at most at 2,000 ids beyond `after_`. Returns state (`busy`; `more`: go on from next_after; `done`) and
-- the deleted rows by table.
create or replace function dagwright.retention_batch_v1(pass uuid, days float8, after_ uuid, most_executions int, most int,
  out state text, out next_after uuid, out deleted jsonb)
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  now_ constant timestamptz := clock_timestamp();
  cutoff constant timestamptz := now_ - days * interval '1 day';
  before constant uuid := dagwright.first_id_v1(cutoff);
  seen int;
  last_seen uuid;
  ids uuid[];
  x uuid;
  n bigint;
  logs bigint := 0;
  attempts bigint := 0;
  callbacks bigint := 0;
  signals bigint := 0;
  waits bigint := 0;
  responses bigint := 0;
  reviews bigint := 0;
  keys bigint := 0;
  tasks bigint := 0;
  executions bigint := 0;
begin
  deleted := '{}';
  next_after := after_;
  if not pg_try_advisory_xact_lock(1148, 0) then
    state := 'busy';
    return;
  end if;
  select count(*), (array_agg(p.id order by p.id desc))[1] into seen, last_seen
    from (select o.id from dagwright.workflow_executions o where o.id > after_ and o.id < before order by o.id limit 2000) p;
  if seen = 0 then
    state := 'done';
    return;
  end if;
  ids := array(select o.id from dagwright.workflow_executions o
    where o.id > after_ and o.id <= last_seen and o.status in ('completed', 'failed', 'cancelled') and o.completed_at < cutoff
    order by o.id limit most_executions for update skip locked);
  state := 'more';
  foreach x in array ids loop
    -- What is left of one that is too large stands before the next batch again.
    delete from dagwright.execution_logs where ctid = any(array(select ctid from dagwright.execution_logs where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    logs := logs + n;
    exit when n = most;
    delete from dagwright.task_attempts where ctid = any(array(select ctid from dagwright.task_attempts where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    attempts := attempts + n;
    exit when n = most;
    delete from dagwright.task_callbacks where ctid = any(array(select ctid from dagwright.task_callbacks where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    callbacks := callbacks + n;
    exit when n = most;
    delete from dagwright.execution_signals where ctid = any(array(select ctid from dagwright.execution_signals where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    signals := signals + n;
    exit when n = most;
    delete from dagwright.signal_waits where ctid = any(array(select ctid from dagwright.signal_waits where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    waits := waits + n;
    exit when n = most;
    delete from dagwright.review_responses where ctid = any(array(select r.ctid from dagwright.human_tasks h
      join dagwright.review_responses r on r.review_id = h.id where h.workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    responses := responses + n;
    exit when n = most;
    delete from dagwright.human_tasks where ctid = any(array(select ctid from dagwright.human_tasks where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    reviews := reviews + n;
    exit when n = most;
    delete from dagwright.task_executions where ctid = any(array(select ctid from dagwright.task_executions where workflow_execution_id = x limit most));
    get diagnostics n = row_count;
    tasks := tasks + n;
    exit when n = most;
    delete from dagwright.idempotency_keys where workflow_execution_id = x;
    get diagnostics n = row_count;
    keys := keys + n;
    delete from dagwright.workflow_executions where id = x;
    executions := executions + 1;
    next_after := x;
    exit when logs + attempts + callbacks + signals + waits + responses + reviews + tasks + keys + executions >= most;
  end loop;
  -- All that could go of this page has gone.
  if executions = cardinality(ids) and executions < most_executions then
    next_after := last_seen;
    if seen < 2000 then state := 'done'; end if;
  end if;
  select coalesce(jsonb_object_agg(t.name, t.n), '{}') into deleted from (values ('execution_logs', logs), ('task_attempts', attempts),
    ('task_callbacks', callbacks), ('execution_signals', signals), ('signal_waits', waits), ('review_responses', responses), ('human_tasks', reviews), ('task_executions', tasks), ('idempotency_keys', keys), ('workflow_executions', executions)) t(name, n)
    where t.n > 0;
  insert into dagwright.retention_cleanup_logs as l (pass_id, table_name, older_than, deleted_rows, started_at, completed_at)
  select pass, t.key, cutoff, t.value::bigint, now_, clock_timestamp() from jsonb_each_text(deleted) t
  on conflict (pass_id, table_name) do update set deleted_rows = l.deleted_rows + excluded.deleted_rows, completed_at = excluded.completed_at;
end $$;

-- How many executions a pass would delete now.
create or replace function dagwright.retention_due_v1(days float8) returns bigint
language sql set enable_seqscan = off as $$
  select count(*) from dagwright.workflow_executions o
  where o.id < dagwright.first_id_v1(clock_timestamp() - days * interval '1 day')
    and o.status in ('completed', 'failed', 'cancelled') and o.completed_at < clock_timestamp() - days * interval '1 day'
$$;
