-- Written by `node test/support/functions-migration.ts --write`; do not edit. See src/db/functions.

-- src/db/functions/change-review.sql
-- What people do with an open review besides deciding it (LANGUAGE H6). Each act is judged under the execution's lock, and audited.
--   C1  Who is asked, and when it is due, is changed by those who are asked, or by whoever manages executions (`manages`): else anybody
--       could make a review his own.
--   C2  One person at a time has claimed a review.

-- act: 'assign' { assignees }, 'claim', 'release', 'update' { priority, dueAt }, 'comment' { comment }. Returns { outcome }: `done`, or as
-- decide_review_v1 `closed`, `self`, `not_assignee`, `claimed`. Null: the current tenant has no such review.
create or replace function dagwright.change_review_v1(review_id uuid, act text, given jsonb, manages boolean) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
  tenant constant uuid := dagwright.current_tenant();
  who constant text := dagwright.current_actor();
  subject constant text := dagwright.review_subject_v1(who);
  x uuid;
  review dagwright.human_tasks;
  before jsonb;
  now_ timestamptz;
begin
  select h.workflow_execution_id into x from dagwright.human_tasks h where h.id = review_id and h.tenant_id = tenant;
  if not found then return null; end if;
  perform from dagwright.workflow_executions o where o.id = x for no key update;
  select * into review from dagwright.human_tasks h where h.id = review_id for no key update;
  now_ := clock_timestamp();
  if act = 'comment' then
    insert into dagwright.review_responses (id, tenant_id, review_id, by, subject, comment, at)
    values (dagwright.uuid_v7(), tenant, review_id, who, subject, given->>'comment', now_);
    perform dagwright.audit_v1(tenant, 'reviews.comment', 'reviews', review_id::text, null, '{}');
    return '{"outcome": "done"}';
  elsif review.status <> 'open' then
    return jsonb_build_object('outcome', 'closed', 'status', review.status, 'by', review.decided_by, 'at', dagwright.iso_v1(review.decided_at));
  elsif not manages and cardinality(review.assignees) > 0 and not review.assignees && dagwright.review_names_v1(who) then
    return jsonb_build_object('outcome', 'not_assignee', 'by', who, 'assignees', review.assignees);
  elsif act = 'claim' and not review.self_approval and subject = any(review.starters) then
    return jsonb_build_object('outcome', 'self', 'by', who);
  elsif act in ('claim', 'release') and dagwright.review_subject_v1(review.claimed_by) <> subject and not (act = 'release' and manages) then
    return jsonb_build_object('outcome', 'claimed', 'by', review.claimed_by, 'at', dagwright.iso_v1(review.claimed_at));
  end if;
  before := jsonb_build_object('assignees', review.assignees, 'claimedBy', review.claimed_by, 'priority', review.priority, 'dueAt', dagwright.iso_v1(review.due_at));
  if act = 'assign' then
    update dagwright.human_tasks h set assignees = array(select jsonb_array_elements_text(given->'assignees')), claimed_by = null, claimed_at = null
      where h.id = review_id returning * into review;
  elsif act = 'claim' then
    update dagwright.human_tasks h set claimed_by = who, claimed_at = coalesce(h.claimed_at, now_) where h.id = review_id returning * into review;
  elsif act = 'release' then
    update dagwright.human_tasks h set claimed_by = null, claimed_at = null where h.id = review_id returning * into review;
  elsif act = 'update' then
    update dagwright.human_tasks h set priority = coalesce((given->>'priority')::smallint, h.priority),
        due_at = case when given ? 'dueAt' then (given->>'dueAt')::timestamptz else h.due_at end,
        remind_at = case when given ? 'dueAt' then (given->>'dueAt')::timestamptz - h.remind_before_ms * interval '1 millisecond' else h.remind_at end,
        reminded_at = case when given ? 'dueAt' then null else h.reminded_at end
      where h.id = review_id returning * into review;
    perform dagwright.time_review_v1(review);
  else
    raise exception 'there is no act %', act using errcode = '22023';
  end if;
  perform dagwright.audit_v1(tenant, 'reviews.' || act, 'reviews', review_id::text, before, jsonb_build_object('assignees', review.assignees,
    'claimedBy', review.claimed_by, 'priority', review.priority, 'dueAt', dagwright.iso_v1(review.due_at)));
  return '{"outcome": "done"}';
end $$;

-- src/db/functions/decide-review.sql
-- Decisions of people (LANGUAGE H2, H3, H6), whatever way they come: one function judges them all, under the execution's lock.
--   D1  Nobody decides what he started, unless the review says so: subjects are compared, not keys. Only an operator may override, and
--       the audit trail says that he did.
--   D2  A decision counts for the review that it names, and only while that is open. It is kept for nothing else.
--   D3  One vote a subject; it may be changed until the review is decided.

-- Returns { outcome, … }: `decided`; `voted` (it counts, and more are needed); or why not: `closed` (with status, by, at), `stale` (with
-- fence), `self`, `not_assignee`, `claimed` (by another, who alone decides then, where one decision is enough). Null: the current tenant has no such review.
create or replace function dagwright.decide_review_v1(review_id uuid, decision text, comment text, data jsonb, fence bigint, override boolean)
returns jsonb language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  who constant text := dagwright.current_actor();
  subject constant text := dagwright.review_subject_v1(who);
  x uuid;
  execution record;
  review dagwright.human_tasks;
  approvals int;
  rejections int;
  to_status text;
  now_ timestamptz;
begin
  select h.workflow_execution_id into x from dagwright.human_tasks h where h.id = review_id and h.tenant_id = tenant;
  if not found then return null; end if;
  select o.status, o.priority, o.paused_at into execution from dagwright.workflow_executions o where o.id = x for no key update;
  perform from dagwright.task_executions t join dagwright.human_tasks h on t.workflow_execution_id = x and t.task_id = h.task_id
    and t.map_index = h.map_index where h.id = review_id for no key update of t;
  select * into review from dagwright.human_tasks h where h.id = review_id for no key update;
  now_ := clock_timestamp();
  if review.status <> 'open' then
    return jsonb_build_object('outcome', 'closed', 'status', review.status, 'by', review.decided_by, 'at', dagwright.iso_v1(review.decided_at));
  elsif review.due_at <= coalesce(execution.paused_at, now_) and review.on_expire <> 'escalate' then
    return jsonb_build_object('outcome', 'closed', 'status', 'expired', 'by', null, 'at', dagwright.iso_v1(review.due_at));
  elsif decide_review_v1.fence <> review.fence then
    return jsonb_build_object('outcome', 'stale', 'status', review.status, 'fence', review.fence);
  end if;
  if not override then
    if not review.self_approval and subject = any(review.starters) then
      return jsonb_build_object('outcome', 'self', 'by', who);
    elsif cardinality(review.assignees) > 0 and not review.assignees && dagwright.review_names_v1(who) then
      return jsonb_build_object('outcome', 'not_assignee', 'by', who, 'assignees', review.assignees);
    elsif review.required_approvals = 1 and dagwright.review_subject_v1(review.claimed_by) <> subject then
      return jsonb_build_object('outcome', 'claimed', 'by', review.claimed_by, 'at', dagwright.iso_v1(review.claimed_at));
    end if;
  end if;
  insert into dagwright.review_responses as r (id, tenant_id, review_id, by, subject, decision, comment, data, at)
  values (dagwright.uuid_v7(), tenant, review.id, who, subject, decide_review_v1.decision, decide_review_v1.comment, decide_review_v1.data, now_)
  on conflict (review_id, subject) where decision is not null do update set by = excluded.by, decision = excluded.decision,
    comment = excluded.comment, data = excluded.data, at = excluded.at;
  select count(*) filter (where r.decision <> 'rejected'), count(*) filter (where r.decision = 'rejected') into approvals, rejections
    from dagwright.review_responses r where r.review_id = review.id and r.decision is not null;
  to_status := case when override then decide_review_v1.decision when rejections >= review.reject_after then 'rejected'
    when approvals >= review.required_approvals then decide_review_v1.decision else 'open' end;
  perform dagwright.audit_v1(tenant, 'reviews.decide', 'reviews', review.id::text, jsonb_build_object('status', 'open'),
    jsonb_build_object('status', to_status, 'decision', decide_review_v1.decision, 'executionId', x, 'taskId', review.task_id)
    || case when override then '{"override": true}' else '{}'::jsonb end);
  if to_status <> 'open' then
    update dagwright.human_tasks h set status = to_status::dagwright.review_status, decided_by = who, decided_at = now_ where h.id = review.id;
    update dagwright.task_executions t set wake_at = null, held_wake_at = null, ready_at = now_
      where t.workflow_execution_id = x and t.task_id = review.task_id and t.map_index = review.map_index and t.status = 'waiting'
        and t.ready_at is null;
    if found and execution.status = 'running' then
      perform dagwright.enqueue_v1(x, array[review.task_id], array[review.map_index], 1, execution.priority);
    end if;
  end if;
  return jsonb_build_object('outcome', case when to_status = 'open' then 'voted' else 'decided' end, 'status', to_status,
    'approvals', approvals, 'rejections', rejections);
end $$;

-- For other services, in their own transaction: decides a review of the current tenant, as app.actor or else the login. A review with a
-- form takes data by the API, which checks it. Returns the review's status afterwards ('open': more votes are needed); null where there is none.
create or replace function dagwright.decide_review(review_id uuid, decision text, comment text default null, fence bigint default null)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  review record;
  answer jsonb;
begin
  select h.review_type, h.form_schema into review from dagwright.human_tasks h
    where h.id = review_id and h.tenant_id = dagwright.current_tenant();
  if not found then return null; end if;
  if decision is null or decision not in ('approved', 'rejected') then
    raise exception 'the decision is approved or rejected, not %', quote_nullable(left(decision, 100)) using errcode = '22023';
  elsif decision = 'approved' and (review.review_type = 'input' or review.form_schema is not null) then
    raise exception 'the review has a form, which SQL does not check' using errcode = '22023', hint = 'POST /v1/reviews/ID/decision';
  elsif length(comment) > 10000 then
    raise exception 'the comment has more than 10000 characters' using errcode = '22023';
  end if;
  answer := dagwright.decide_review_v1(review_id, decision, comment, null, fence, false);
  if answer->>'outcome' = 'self' then
    raise exception 'it was started by %, who may not decide it', answer->>'by' using errcode = '42501', hint = 'selfApproval: true allows it';
  elsif answer->>'outcome' = 'not_assignee' then
    raise exception 'it is not for %', answer->>'by' using errcode = '42501', hint = 'its assignees, or the API''s reassign';
  elsif answer->>'outcome' = 'closed' then
    raise exception 'the review is % already', answer->>'status' using errcode = '55000';
  elsif answer->>'outcome' = 'claimed' then
    raise exception 'the review is claimed by %', answer->>'by' using errcode = '55000';
  elsif answer->>'outcome' = 'stale' then
    raise exception 'the review has another fence: %', answer->>'fence' using errcode = '55000';
  end if;
  return answer->>'status';
end $$;

-- src/db/functions/end-execution.sql
-- Ends an execution and all in it at once: cancel, timeout, terminate. The caller holds the execution's lock.
create or replace function dagwright.end_execution_v1(x uuid, to_status dagwright.execution_status, out_ jsonb, err jsonb,
  skip_reason dagwright.skip_reason, at timestamptz)
returns void language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  seq bigint;
  n bigint;
begin
  select next_seq into seq from dagwright.workflow_executions where id = x;
  -- What has not started is skipped for the reason given (or cancelled); what has, is cancelled under a new fence.
  update dagwright.task_executions t set
    status = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when skip_reason is not null and t.status = 'pending' and t.attempt_number = 0 then skip_reason else t.reason end,
    fence = t.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = at, completed_seq = seq + o.k
  from (select task_id, map_index, row_number() over () as k from dagwright.task_executions
        where workflow_execution_id = x and status in ('pending', 'running', 'waiting', 'retrying')) o
  where t.workflow_execution_id = x and t.task_id = o.task_id and t.map_index = o.map_index;
  get diagnostics n = row_count;
  -- What came for tasks that will not look at it any more was not redacted.
  update dagwright.task_callbacks set output = null, error = null where workflow_execution_id = x and completed_at is not null;
  update dagwright.human_tasks set status = 'cancelled', decided_at = at where workflow_execution_id = x and status = 'open';
  update dagwright.workflow_executions set status = to_status, output = out_, error = err, open_tasks = 0,
    next_seq = seq + n + 1, completed_at = at, deadline_at = null, run_at = null,
    duration_ms = (extract(epoch from at - coalesce(started_at, created_at)) * 1000)::bigint
  where id = x and status in ('pending', 'running', 'paused');
  if found then
    insert into dagwright.execution_logs (id, tenant_id, workflow_execution_id, at, level, message, fields)
    select dagwright.uuid_v7(), o.tenant_id, x, at, case when to_status = 'failed' then 'error' else 'info' end::dagwright.log_level,
      left(concat_ws(': ', 'the execution was ended as ' || to_status, err->>'code', err->>'message'), 4000), jsonb_build_object('status', to_status)
    from dagwright.workflow_executions o where o.id = x;
  end if;
end $$;

-- src/db/functions/kinds-of-wait.sql
-- What the functions must know of the kinds of wait, as core/wait.ts decides it; a test compares the two. They compare as text:
-- PostgreSQL lets nobody use a value of an enum type in the transaction that adds it, and a migration is one transaction.

-- What ends such a wait: its 'time', the end of its 'parts', an 'answer' from outside, or a 'decision' of people.
create or replace function dagwright.wait_ends_by_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'time' when 'callback' then 'answer' when 'items' then 'parts' when 'signal' then 'answer'
    when 'review' then 'decision' end
$$;

-- What a pause does to its timer: 'stands_still' (what was left is left after it), 'held' (its moment stays) or 'none'.
create or replace function dagwright.wait_in_pause_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'held' when 'callback' then 'stands_still' when 'items' then 'none' when 'signal' then 'stands_still'
    when 'review' then 'held' end
$$;

-- src/db/functions/orphans.sql
-- (execution, task, index) that a queued or running job would wake; task null: the job opens the execution.
create or replace function dagwright.jobs_v1() returns table (execution_id uuid, task_id text, map_index int)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select (j.payload->>'e')::uuid, l.value->>0, (l.value->>1)::int
  from graphile_worker._private_jobs j join graphile_worker._private_tasks k on k.id = j.task_id
  left join lateral json_array_elements(j.payload->'t') l on true
  where k.identifier ~ '^dagwright(:|$)' and j.attempts < j.max_attempts
$$;

-- What is not terminal and has nothing that will wake it. Must be empty.
create or replace view dagwright.v_orphans with (security_invoker = true) as
  with jobs as materialized (select * from dagwright.jobs_v1())
  select o.id as execution_id, null::text as task_id, null::int as map_index, o.status::text, 'pending execution without a job' as problem
    from dagwright.workflow_executions o
    where o.status = 'pending' and o.run_at is null and not exists (select from jobs j where j.execution_id = o.id and j.task_id is null)
  union all
  select o.id, null, null, o.status::text, 'all tasks ended, not concluded' from dagwright.workflow_executions o
    where o.status = 'running' and o.open_tasks = 0 and not exists (select from dagwright.workers w where w.id = o.concluded_by)
  union all
  select t.workflow_execution_id, t.task_id, t.map_index, t.status::text, case
      when t.ready_at is not null then 'ready without a job'
      when t.status = 'running' then 'running on a worker that is gone'
      when t.status = 'pending' and t.map_index >= 0 then 'item that is neither ready nor running'
      when t.status = 'pending' then 'pending without open edges'
      else 'waiting for nothing' end
    from dagwright.task_executions t join dagwright.workflow_executions o on o.id = t.workflow_execution_id
    where o.status in ('running', 'paused') and t.status in ('pending', 'running', 'waiting', 'retrying') and not (
      (t.ready_at is not null and exists (select from jobs j where j.execution_id = t.workflow_execution_id and j.task_id = t.task_id and j.map_index = t.map_index))
      or (t.status = 'running' and exists (select from dagwright.workers w where w.id = t.worker_id))
      or (t.status = 'pending' and t.ready_at is null and t.map_index < 0 and t.pending_edges > 0)
      or (t.status in ('waiting', 'retrying') and t.wake_at is not null)
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'decision' and exists (select from dagwright.human_tasks h
        where h.workflow_execution_id = t.workflow_execution_id and h.task_id = t.task_id and h.map_index = t.map_index and h.status = 'open'))
      -- Resume wakes what is ready or has a time.
      or (o.status = 'paused' and (t.ready_at is not null or t.held_wake_at is not null))
      or (t.status = 'waiting' and dagwright.wait_ends_by_v1(t.waiting_on) = 'parts' and t.items_open > 0));
grant select on dagwright.v_orphans to dagwright_engine;

-- src/db/functions/retention.sql
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

-- src/db/functions/review-links.sql
-- Links for people without a key (LANGUAGE H4): whoever has one decides its review, once, as the person that it was made for.
--   L1  Only the SHA-256 of a link's token is kept. It is of one review and one person, expires, and can be revoked.
--   L2  Looking at it changes nothing; the vote that counts uses it up, in its own commit.
--   L3  It may no more than its person: self-approval, assignees and claims are judged as for anybody (decide_review_v1).
--   L4  Lock order: execution, task, review, responses, link.

-- Makes a link known. `person`: as assignees are written; null: nobody in particular. False: no such open review.
create or replace function dagwright.make_review_link_v1(review_id uuid, hash bytea, person text, expires_ms bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into dagwright.review_links (token_hash, tenant_id, review_id, person, created_at, created_by, expires_at)
  select hash, h.tenant_id, h.id, make_review_link_v1.person, clock_timestamp(), dagwright.current_actor(),
    clock_timestamp() + expires_ms * interval '1 millisecond'
  from dagwright.human_tasks h where h.id = review_id and h.tenant_id = dagwright.current_tenant() and h.status = 'open'
  on conflict do nothing;
  if not found then return false; end if;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'reviews.link', 'reviews', review_id::text, null, jsonb_build_object('person', person));
  return true;
end $$;

-- Takes back all links of a review that are not used yet; how many they were. Null: there is no such review.
create or replace function dagwright.revoke_review_links_v1(review_id uuid) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  n int;
begin
  if not exists (select from dagwright.human_tasks h where h.id = review_id and h.tenant_id = dagwright.current_tenant()) then return null; end if;
  update dagwright.review_links l set revoked_at = clock_timestamp()
    where l.review_id = revoke_review_links_v1.review_id and l.used_at is null and l.revoked_at is null;
  get diagnostics n = row_count;
  if n > 0 then
    perform dagwright.audit_v1(dagwright.current_tenant(), 'reviews.revoke', 'reviews', review_id::text, null, jsonb_build_object('links', n));
  end if;
  return n;
end $$;

-- What a link is: { state: 'open', 'used', 'revoked' or 'expired', tenant, review, person }; null: there is none. For whoever has its
-- token, whatever the tenant.
create or replace function dagwright.read_review_link_v1(hash bytea) returns jsonb language sql stable as $$
  select jsonb_build_object('tenantId', l.tenant_id, 'reviewId', l.review_id, 'person', l.person, 'state', case
    when l.used_at is not null then 'used' when l.revoked_at is not null then 'revoked' when l.expires_at <= clock_timestamp() then 'expired'
    else 'open' end)
  from dagwright.review_links l where l.token_hash = hash
$$;

-- A vote by a link, as its person: the answer of decide_review_v1, or { outcome: 'link', state }.
create or replace function dagwright.decide_by_link_v1(hash bytea, decision text, comment text, data jsonb, fence bigint) returns jsonb
language plpgsql as $$
declare
  link jsonb := dagwright.read_review_link_v1(hash);
  answer jsonb;
begin
  if link is null then return null; end if;
  perform set_config('app.current_tenant_id', link->>'tenantId', true),
    set_config('app.actor', coalesce(link->>'person', 'link:' || encode(substring(hash for 6), 'hex')), true);
  perform from dagwright.human_tasks h join dagwright.workflow_executions o on o.id = h.workflow_execution_id
    where h.id = (link->>'reviewId')::uuid for no key update of o;
  -- Another vote by it may have come before.
  link := dagwright.read_review_link_v1(hash);
  if link->>'state' <> 'open' then return jsonb_build_object('outcome', 'link', 'state', link->>'state'); end if;
  answer := dagwright.decide_review_v1((link->>'reviewId')::uuid, decision, comment, data, fence, false);
  if answer->>'outcome' in ('decided', 'voted') then
    update dagwright.review_links l set used_at = clock_timestamp() where l.token_hash = hash;
  end if;
  return answer;
end $$;

-- src/db/functions/reviews.sql
-- Human reviews (LANGUAGE H1 to H9): a row of human_tasks for each question, made in the commit that begins its task's wait.
--   V1  A review is open as long as its task waits for it: whatever else ends the task closes it in the same commit.
--   V2  What is decided is decided once, under the execution's lock; the decision and the job that wakes the task are one commit.
--   V3  The wait's timer is made of the review's row, whoever changes it: what is due, or has been decided, cannot be slept through.
--   V4  Lock order: execution, task, review, responses.
-- A crash before the settle's commit leaves no review, and the attempt runs again; after it, the review waits for people, who need no
-- worker. A crash before the decision's commit leaves it open, and whoever sent it hears nothing; after it, the task is ready with a
-- job, and a decision that is sent again is told what was decided. What is due is done in the commit that says so (pass_review_v1): a
-- worker that dies after it finds it done.

-- An instant within JSON.
create or replace function dagwright.iso_v1(at timestamptz) returns text language sql immutable as $$
  select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Who somebody is, whatever way he comes: `alice` and `user:alice` are one. As assignees are written.
create or replace function dagwright.review_subject_v1(actor text) returns text language sql immutable as $$
  select 'user:' || regexp_replace(actor, '^user:', '')
$$;

-- The names by which reviews are for an actor of the current tenant: his own, and those of the roles that a valid key of his has.
create or replace function dagwright.review_names_v1(actor text) returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select array(select dagwright.review_subject_v1(actor) union
    select 'role:' || role from dagwright.api_keys k, unnest(k.roles) role
    where k.tenant_id = dagwright.current_tenant() and k.revoked_at is null and coalesce(k.expires_at > clock_timestamp(), true)
      and dagwright.review_subject_v1(coalesce(k.subject, 'key:' || k.id)) = dagwright.review_subject_v1(actor))
$$;

-- Whose executions the review is about: whoever started the execution. Where one execution comes from another (a child, a redrive, a
-- fork), those who started that one belong here as well.
create or replace function dagwright.review_starters_v1(x uuid) returns text[] language sql stable as $$
  select coalesce(array_agg(dagwright.review_subject_v1(o.created_by)) filter (where o.created_by is not null), '{}')
  from dagwright.workflow_executions o where o.id = x
$$;

-- When the task is to look at its review; null: only when it is decided.
create or replace function dagwright.review_wake_v1(review dagwright.human_tasks) returns timestamptz language sql immutable as $$
  select least(review.due_at, case when review.reminded_at is null then review.remind_at end)
$$;

-- Called by the settle that begins a wait: opens the review that it brings, or goes on waiting for the one that is open. True: that is
-- decided already, or people are to be told of it, and the task is ready. The caller holds the execution's lock.
create or replace function dagwright.await_review_v1(x uuid, task text, idx int, f bigint, spec jsonb, now_ timestamptz) returns boolean
language plpgsql as $$
declare
  review dagwright.human_tasks;
  due_ms constant bigint := (spec->>'dueInSeconds')::numeric * 1000;
  remind_ms constant bigint := (spec->>'remindBeforeSeconds')::numeric * 1000;
begin
  if spec is not null then
    -- An earlier attempt's, which failed after it had opened one.
    update dagwright.human_tasks h set status = 'cancelled', decided_at = now_
      where h.workflow_execution_id = x and h.task_id = task and h.map_index = idx and h.status = 'open';
    insert into dagwright.human_tasks (id, tenant_id, workflow_execution_id, task_id, map_index, workflow_id, fence, review_type, title,
      description, payload, form_schema, shown_hash, priority, assignees, required_approvals, reject_after, self_approval, starters,
      opened_at, due_in_ms, remind_before_ms, due_at, remind_at, on_expire, escalate_to, notifies, notify_for)
    select dagwright.uuid_v7(), o.tenant_id, x, task, idx, o.workflow_id, f, spec->>'reviewType', spec->>'title',
      spec->>'description', coalesce(spec->'payload', 'null'), nullif(spec->'formSchema', 'null'), decode(spec->>'shownHash', 'hex'),
      (spec->>'priority')::smallint, array(select jsonb_array_elements_text(spec->'assignees')), (spec->>'requiredApprovals')::int,
      (spec->>'rejectAfter')::int, (spec->>'selfApproval')::boolean,
      dagwright.review_starters_v1(x), now_, due_ms, remind_ms, now_ + due_ms * interval '1 millisecond', now_ + (due_ms - remind_ms) * interval '1 millisecond',
      spec->>'onExpire', array(select jsonb_array_elements_text(spec->'escalateTo')), (spec->>'notifies')::boolean,
      case when (spec->>'notifies')::boolean then 'opened' end
    from dagwright.workflow_executions o where o.id = x
    returning * into review;
  else
    select * into review from dagwright.human_tasks h
      where h.workflow_execution_id = x and h.task_id = task and h.map_index = idx order by h.fence desc limit 1;
  end if;
  -- Decided, or gone: the task looks, and ends. Or people are to be told of it.
  if review.status is distinct from 'open' or review.notify_for is not null then
    update dagwright.task_executions set ready_at = now_, wake_at = null, held_wake_at = null
      where workflow_execution_id = x and task_id = task and map_index = idx;
    return true;
  end if;
  perform dagwright.time_review_v1(review);
  return false;
end $$;

-- Sets the timer of the task that waits for a review (V3). The caller holds the execution's lock.
create or replace function dagwright.time_review_v1(review dagwright.human_tasks) returns void language sql as $$
  update dagwright.task_executions t set
    wake_at = case when o.status = 'running' then dagwright.review_wake_v1(review) end,
    held_wake_at = case when o.status <> 'running' then dagwright.review_wake_v1(review) end
  from dagwright.workflow_executions o
  where o.id = review.workflow_execution_id and t.workflow_execution_id = o.id and t.task_id = review.task_id
    and t.map_index = review.map_index and t.status = 'waiting' and t.ready_at is null
$$;

-- Closes what is open of tasks that have ended (V1). The caller holds the execution's lock.
create or replace function dagwright.close_reviews_v1(x uuid, now_ timestamptz) returns void language sql as $$
  update dagwright.human_tasks h set status = 'cancelled', decided_at = now_
  where h.workflow_execution_id = x and h.status = 'open' and exists (
    select from dagwright.task_executions t where t.workflow_execution_id = x and t.task_id = h.task_id and t.map_index = h.map_index
      and t.status in ('completed', 'failed', 'skipped', 'cancelled'))
$$;

-- For the task, when it looks at its review: does what is due, once, and tells what has become of it; null: there is none. The caller
-- holds the execution's lock.
create or replace function dagwright.pass_review_v1(x uuid, task text, idx int) returns jsonb
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  review dagwright.human_tasks;
  max_escalations constant int := 5;
  now_ constant timestamptz := clock_timestamp();
begin
  select * into review from dagwright.human_tasks h
    where h.workflow_execution_id = x and h.task_id = task and h.map_index = idx order by h.fence desc limit 1 for no key update;
  if not found then return null; end if;
  if review.status = 'open' and review.due_at <= now_ then
    if review.on_expire = 'escalate' and review.escalations < max_escalations then
      update dagwright.human_tasks h set assignees = h.escalate_to, claimed_by = null, claimed_at = null, escalations = h.escalations + 1,
        due_at = now_ + h.due_in_ms * interval '1 millisecond', reminded_at = null, notify_for = case when h.notifies then 'escalated' end,
        remind_at = now_ + (h.due_in_ms - h.remind_before_ms) * interval '1 millisecond'
      where h.id = review.id returning * into review;
      perform dagwright.audit_v1(review.tenant_id, 'reviews.escalate', 'reviews', review.id::text, null,
        jsonb_build_object('assignees', review.assignees, 'dueAt', dagwright.iso_v1(review.due_at), 'escalations', review.escalations));
    else
      update dagwright.human_tasks h set decided_at = now_, decided_by = 'system',
        status = case h.on_expire when 'approve' then case h.review_type when 'input' then 'submitted' else 'approved' end
          when 'reject' then 'rejected' else 'expired' end::dagwright.review_status
      where h.id = review.id returning * into review;
      perform dagwright.audit_v1(review.tenant_id, 'reviews.expire', 'reviews', review.id::text, jsonb_build_object('status', 'open'),
        jsonb_build_object('status', review.status));
    end if;
  elsif review.status = 'open' and review.reminded_at is null and review.remind_at <= now_ then
    update dagwright.human_tasks h set reminded_at = now_, notify_for = coalesce(h.notify_for, case when h.notifies then 'reminder' end)
      where h.id = review.id returning * into review;
  end if;
  return jsonb_build_object('id', review.id, 'title', review.title, 'assignees', review.assignees, 'dueAt', dagwright.iso_v1(review.due_at),
    'escalations', review.escalations, 'notice', case when review.status = 'open' then review.notify_for end, 'status', review.status, 'payload', review.payload,
    'data', (select r.data from dagwright.review_responses r where r.review_id = review.id and r.decision = review.status::text
      and r.data is not null order by r.at desc limit 1),
    'responses', (select coalesce(jsonb_agg(jsonb_build_object('by', r.by, 'decision', r.decision, 'comment', r.comment, 'data', r.data,
        'at', dagwright.iso_v1(r.at)) order by r.at, r.id), '[]')
      from dagwright.review_responses r where r.review_id = review.id and r.decision is not null));
end $$;

-- Whom the open reviews are for, as they change.
create or replace function dagwright.index_assignees_v1() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    delete from dagwright.review_assignees a where a.tenant_id = old.tenant_id and a.review_id = old.id
      and a.assignee = any(old.assignees || dagwright.review_subject_v1(old.claimed_by));
  end if;
  if tg_op <> 'DELETE' and new.status = 'open' then
    insert into dagwright.review_assignees (tenant_id, assignee, review_id)
    select new.tenant_id, n.name, new.id from unnest(new.assignees || dagwright.review_subject_v1(new.claimed_by)) n(name)
    where n.name is not null group by n.name;
  end if;
  return null;
end $$;
create or replace trigger index_assignees after insert or delete or update of assignees, claimed_by, status on dagwright.human_tasks
  for each row execute function dagwright.index_assignees_v1();

-- src/db/functions/settle-closure.sql
-- Chapters of settle_v2 (settle.sql) about what follows from an end far away, computed under the execution's lock
-- (engine/settle/closure.ts). Each is called once per execution, under that one's planner settings.

-- Writes the ends that are already determined, as one set, and those of the items of open fan-outs among them. They get the
-- numbers from seq on. closed: how many fewer tasks are open.
create or replace function dagwright.end_further_v1(execution_id uuid, tenant uuid, further jsonb, now_ timestamptz, seq bigint,
  out closed int, out failures int, out next_seq bigint)
language plpgsql as $$
declare
  fan_out record;
  items record;
begin
  update dagwright.task_executions u set status = further_end."to", reason = coalesce(further_end.r, u.reason), fence = u.fence + 1,
    ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + further_end.place
  from (select o.ordinality as place, o.value->>'t' as t, (o.value->>'to')::dagwright.task_status as "to", (o.value->>'r')::dagwright.skip_reason as r
        from jsonb_array_elements(further) with ordinality o) further_end
  where u.workflow_execution_id = execution_id and u.task_id = further_end.t and u.map_index = -1
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  get diagnostics closed = row_count;
  failures := (select count(*) from jsonb_array_elements(further) o where o.value->>'to' = 'failed');
  next_seq := seq + jsonb_array_length(further) + 1;
  if further @> '[{"to": "cancelled"}]' then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  for fan_out in select o.value->>'t' as t, coalesce((o.value->>'run')::boolean, false) as cancels
                 from jsonb_array_elements(further) o where o.value->>'items' is not null loop
    select * into items from dagwright.abandon_items_v1(execution_id, tenant, fan_out.t, fan_out.cancels, now_, next_seq);
    closed := closed - items.still_running;
    next_seq := items.next_seq;
  end loop;
end $$;

-- Makes ready the tasks whose wait winds down, so that each tells what it waits for; returned are those that were not ready.
create or replace function dagwright.wind_down_v1(execution_id uuid, tasks text[], now_ timestamptz)
returns text[] language sql as $$
  with woken as (
    update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
    where u.workflow_execution_id = execution_id and u.task_id = any(tasks) and u.map_index = -1 and u.status = 'waiting' and u.ready_at is null
    returning u.task_id)
  select coalesce(array_agg(task_id), '{}') from woken
$$;

-- src/db/functions/settle-fan-out.sql
-- Chapters of settle_v2 (settle.sql) about fan-outs, each called once in the life of one, under that one's planner settings.

-- A fan-out opens: the rows of the first items of its window; so many of them run on this worker, the rest are ready.
create or replace function dagwright.open_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, types jsonb, stays boolean,
  issued int, claimed int, now_ timestamptz)
returns void language sql as $$
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
    stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
  select execution_id, task, item, tenant, coalesce(types->>item, types->>0), stays,
    case when item < claimed then 'running'::dagwright.task_status else 'pending' end, (item < claimed)::int, (item < claimed)::int,
    case when item < claimed then worker end, case when item < claimed then now_ end, case when item < claimed then 0 end,
    case when item >= claimed then now_ end
  from generate_series(0, issued - 1) item
$$;

-- A fan-out can be collected: its open items are cancelled, those that were never issued get rows, and the task itself goes on
-- as running for a lane, or as ready. Ends get the numbers from seq on.
create or replace function dagwright.collect_items_v1(worker uuid, execution_id uuid, tenant uuid, task text, issued int, total int,
  has_lane boolean, now_ timestamptz, seq bigint, out fence bigint, out attempt int, out recoveries int, out phase text)
language plpgsql as $$
declare
  suspect_recoveries constant int := 2;
begin
  update dagwright.task_executions u set status = 'cancelled', fence = u.fence + 1, ready_at = null, wake_at = null,
    waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and u.status in ('pending', 'running', 'waiting', 'retrying');
  if found then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'cancelled', now_, seq + item
  from dagwright.task_executions u, generate_series(issued, total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1 and issued < total;
  update dagwright.task_executions u set
    status = case when has_lane then 'running'::dagwright.task_status else 'waiting' end, fence = u.fence + has_lane::int,
    items_issued = u.items_total,
    worker_id = case when has_lane then worker else u.worker_id end,
    started_at = case when not has_lane then u.started_at when u.recoveries < suspect_recoveries then now_ end,
    ready_at = case when not has_lane then now_ end
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1
  returning u.fence, u.attempt_number, u.recoveries, u.waiting_on into fence, attempt, recoveries, phase;
end $$;

-- A fan-out was ended with its execution's failure: no more items; what runs ends on its own, or (cancels) is cancelled. Ends get
-- the numbers from seq on; returned is the number after them, and how many items still run: each keeps the execution open.
create or replace function dagwright.abandon_items_v1(execution_id uuid, tenant uuid, task text, cancels boolean, now_ timestamptz,
  seq bigint, out next_seq bigint, out still_running int)
language plpgsql as $$
begin
  update dagwright.task_executions u set
    status = case when u.status = 'pending' then 'skipped'::dagwright.task_status else 'cancelled' end,
    reason = case when u.status = 'pending' then 'execution_failed' else u.reason end,
    fence = u.fence + 1, ready_at = null, wake_at = null, held_wake_at = null, waiting_on = null, completed_at = now_, completed_seq = seq + u.map_index
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0
    and (u.status in ('pending', 'waiting', 'retrying') or (cancels and u.status = 'running'));
  if found then perform dagwright.close_reviews_v1(execution_id, now_); end if;
  select count(*) into still_running from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index >= 0 and u.status = 'running';
  insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type, status, reason, completed_at, completed_seq)
  select execution_id, task, item, tenant, coalesce(u.items->'types'->>item, u.items->'types'->>0, u.task_type), 'skipped', 'execution_failed', now_, seq + item
  from dagwright.task_executions u, generate_series(u.items_issued, u.items_total - 1) item
  where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
  select seq + coalesce(u.items_total, 0) into next_seq from dagwright.task_executions u
    where u.workflow_execution_id = execution_id and u.task_id = task and u.map_index = -1;
end $$;

-- src/db/functions/settle.sql
-- Settles attempts and goes on: the general way, which takes whatever settle_completed_v2 and settle_one_v1 refuse.
-- p is { w, slots, x }, with one element of x per execution; all keys are declared in db/protocol/settle-keys.ts.
-- An execution that somebody has locked is passed by, so that no other has to wait for it: it comes back as `locked`, and nothing of
-- it was changed. Result rows, `kind`: locked | settled | lost (fence: what the row has now, phase: its status) | failing (a retry or a wait that the
-- failure policy refuses: settle again as failed or cancelled) | claim (i: the lane, or -1 for an extra) | drained (all tasks
-- ended; conclude it) | finished.
--   S1  A settle that names an old fence changes nothing and is reported as lost.
--   S2  Edges, money and items follow only from a settle that was found.
--   S3  A child is woken by exactly one settle: the one that takes pending_edges to 0 (or first meets its early rule).
--   S4  A woken child leaves as running for exactly one lane, or as ready with a job, in the same commit.
--   S5  Each end in an execution has a number of its own (completed_seq), higher than those of all commits before.
-- Chapters that are called once per execution or once per fan-out are functions of their own (settle-children.sql,
-- settle-closure.sql, settle-fan-out.sql). What is done per settle stands here: a call costs 6 µs, a twentieth of an item's settle.
create or replace function dagwright.settle_v2(p jsonb)
returns table (e uuid, kind text, i int, t text, m int, fence bigint, attempt int, recoveries int, phase text, at float8)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
declare
  max_recoveries constant int := 3;
  worker constant uuid := p->>'w';
  slots constant int := p->>'slots';
  batch record;         -- the settles of one execution, and what follows from them
  execution record;
  settle record;
  task record;          -- the row that was settled
  fan_out record;       -- the row of the fan-out whose item it is
  step record;          -- an answer of a chapter
  now_ timestamptz;
  seq bigint;           -- the number of the next end
  settled int[];        -- ordinals of the settles that were found
  lanes int[];          -- ordinals of the lanes that still want to go on
  extra int;            -- pure tasks that may still be claimed beyond them
  lane int;
  ready_tasks text[];
  ready_indexes int[];
  woken text[];
  closed int;           -- how many fewer tasks are open
  failures int;
  cost numeric;
  is_cost_unknown boolean;
  has_list boolean;      -- a lane brought a list
  has_end boolean;       -- one of them ends the execution
  is_drained boolean;
  claimed int;
begin
  for batch in
    select r.* from jsonb_to_recordset(p->'x') as r(e uuid, s jsonb, d jsonb, z jsonb, wd text[], lanes int[], extra int, fin jsonb, failing boolean)
    order by r.e
  loop
    -- THE EXECUTION is locked, and read.
    e := batch.e;
    select o.status, o.priority, o.failing, o.tenant_id, o.next_seq, o.open_tasks, o.failed_tasks into execution
      from dagwright.workflow_executions o where o.id = batch.e for no key update skip locked;
    if not found and exists (select from dagwright.workflow_executions o where o.id = batch.e) then
      kind := 'locked'; i := null; return next;
      continue;
    end if;
    now_ := clock_timestamp();
    at := extract(epoch from now_) * 1000;
    seq := execution.next_seq; closed := 0; failures := 0; cost := 0; is_cost_unknown := false;
    settled := '{}'; ready_tasks := '{}'; ready_indexes := '{}';
    lanes := coalesce(batch.lanes, '{}'); extra := coalesce(batch.extra, 0); has_list := false; has_end := false;
    -- While it is paused nothing begins: what becomes ready stays so, without a job, and timers stand still; resume goes on.
    if execution.status <> 'running' then lanes := '{}'; extra := 0; end if;

    for settle in select r.* from jsonb_to_recordset(batch.s) as r(i int, t text, m int, f bigint, "to" text, r dagwright.skip_reason, st boolean,
        b text, wn text, inp jsonb, out jsonb, err jsonb, cost numeric, unk boolean, dur bigint, use jsonb, wake bigint,
        wo dagwright.wait_kind, rv jsonb, att boolean, pure boolean, ty jsonb, next jsonb, fo jsonb, errs jsonb, opt boolean, "end" jsonb)
    loop
      -- THE ROW is written, under its fence (S1).
      i := settle.i; t := settle.t; m := settle.m;
      has_list := has_list or settle.next is not null;
      has_end := has_end or settle."end" is not null;
      if settle."to" in ('completed', 'failed', 'skipped', 'cancelled') then
        update dagwright.task_executions u set status = settle."to"::dagwright.task_status, reason = settle.r, branch = settle.b, winner = settle.wn,
          input = coalesce(settle.inp, u.input), output = settle.out, error = settle.err, part_errors = settle.errs,
          resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur,
          completed_at = now_, completed_seq = seq, waiting_on = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at, u.task_type into task;
      elsif settle."to" in ('retrying', 'waiting') and execution.failing and not coalesce(settle.st, false) then
        kind := 'failing'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      else
        -- released: no attempt spent; waiting and retrying: by timer, or until the items of a fan-out ended.
        update dagwright.task_executions u set status = case when settle."to" <> 'released' then settle."to"::dagwright.task_status when settle.wo is null then 'pending'::dagwright.task_status else 'waiting' end,
          input = coalesce(settle.inp, u.input), error = coalesce(settle.err, u.error), resource_usage = coalesce(settle.use, u.resource_usage),
          cost_usd = u.cost_usd + case when settle.unk then null else coalesce(settle.cost, 0) end,
          duration_ms = coalesce(u.duration_ms, 0) + settle.dur, waiting_on = settle.wo,
          wake_at = case when execution.status = 'running' then now_ + settle.wake * interval '1 millisecond' end,
          held_wake_at = case when execution.status <> 'running' then now_ + settle.wake * interval '1 millisecond' end,
          ready_at = case when settle."to" = 'released' then now_ end,
          attempt_number = u.attempt_number - (settle."to" = 'released' and settle.wo is null and u.recoveries <= max_recoveries)::int,
          items = coalesce(settle.fo->'items', u.items), items_total = coalesce((settle.fo->>'total')::int, u.items_total),
          items_open = coalesce((settle.fo->>'total')::int, u.items_open), items_ok = case when settle.fo is null then u.items_ok else 0 end,
          items_failed = case when settle.fo is null then u.items_failed else 0 end,
          items_tolerated = coalesce((settle.fo->>'tol')::int, u.items_tolerated), items_needed = coalesce((settle.fo->>'need')::int, u.items_needed),
          items_issued = coalesce(least((settle.fo->>'conc')::int, (settle.fo->>'total')::int), u.items_issued)
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and u.status = 'running' and u.fence = settle.f
        returning u.attempt_number, u.started_at, u.items_issued into task;
      end if;
      if not found then
        select u.fence, u.status into fence, phase from dagwright.task_executions u
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        kind := 'lost'; return next;
        lanes := array_remove(lanes, settle.i);
        continue;
      end if;
      settled := settled || settle.i;
      cost := cost + coalesce(settle.cost, 0);
      is_cost_unknown := is_cost_unknown or coalesce(settle.unk, false);
      if settle."to" = 'failed' then
        -- What came for it and was not looked at was not redacted.
        update dagwright.task_callbacks c set output = null, error = null
          where c.workflow_execution_id = batch.e and c.task_id = settle.t and c.map_index = settle.m and c.completed_at is not null;
        if task.task_type in ('human_review', 'model_inference') then perform dagwright.close_reviews_v1(batch.e, now_); end if;
      end if;
      if settle.att then
        insert into dagwright.task_attempts (workflow_execution_id, task_id, map_index, attempt_number, fence, tenant_id,
          worker_id, error, cost_usd, resource_usage, started_at, completed_at, duration_ms)
        values (batch.e, settle.t, settle.m, task.attempt_number, settle.f, execution.tenant_id, worker, settle.err,
          case when settle.unk then null else coalesce(settle.cost, 0) end, settle.use, task.started_at, now_, settle.dur);
      end if;
      kind := 'settled'; return next;

      -- WHAT THE TASK GOES ON WITH, where it has not ended.
      if settle."to" = 'released' then
        ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
      elsif dagwright.wait_ends_by_v1(settle.wo) = 'answer' then
        -- Its answer may have come before it waited.
        update dagwright.task_executions u set ready_at = now_, wake_at = null, held_wake_at = null
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m
          and dagwright.has_come_v1(batch.e, settle.t, settle.m, settle.wo);
        if found then ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m; end if;
      elsif settle.wo::text = 'review' then
        -- A review opens, or was decided before its task waited again.
        if dagwright.await_review_v1(batch.e, settle.t, settle.m, settle.f, settle.rv, now_) then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || settle.m;
        end if;
      elsif settle.fo is not null then
        -- A fan-out opens: of the first items of its window one is for this lane, pure ones may be taken beyond, the rest is ready.
        claimed := least(case when settle.i = any(lanes) then 1 else 0 end + case when settle.pure then extra else 0 end, task.items_issued);
        perform dagwright.open_items_v1(worker, batch.e, execution.tenant_id, settle.t, settle.fo->'types', coalesce(settle.st, false),
          task.items_issued, claimed, now_);
        for item in 0 .. claimed - 1 loop
          kind := 'claim'; m := item; fence := 1; attempt := 1; recoveries := 0; phase := null;
          i := case when item = 0 and settle.i = any(lanes) then settle.i else -1 end;
          return next;
          if i = settle.i then lanes := array_remove(lanes, settle.i); else extra := extra - 1; end if;
        end loop;
        ready_tasks := ready_tasks || array_fill(settle.t, array[task.items_issued - claimed]);
        ready_indexes := ready_indexes || array(select item from generate_series(claimed, task.items_issued - 1) item);
      end if;
      if settle."to" not in ('completed', 'failed', 'skipped', 'cancelled') then continue; end if;

      -- WHAT FOLLOWS FROM AN END: a task's is counted; an item's moves the window of its fan-out on, or ends that.
      seq := seq + 1;
      if settle.m < 0 then
        closed := closed + 1;
        failures := failures + (settle."to" = 'failed')::int;
        continue;
      end if;
      update dagwright.task_executions u set items_open = u.items_open - 1,
        items_ok = u.items_ok + (settle."to" = 'completed')::int,
        items_failed = u.items_failed + (settle."to" <> 'completed' and not coalesce(settle.opt, false))::int
      where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1 and u.status = 'waiting' and u.waiting_on = 'items'
      returning u.items_open, u.items_ok, u.items_failed, u.items_total, u.items_issued, u.items_tolerated, u.items_needed,
        u.stays_after_failure into fan_out;
      if not found then
        -- The fan-out was ended by the failure policy while this item ran: it was counted as open on its own.
        closed := closed + 1;
      elsif fan_out.items_open = 0 or fan_out.items_failed > fan_out.items_tolerated or fan_out.items_ok >= fan_out.items_needed then
        lane := lanes[1];
        select * into fence, attempt, recoveries, phase from dagwright.collect_items_v1(worker, batch.e, execution.tenant_id, settle.t,
          fan_out.items_issued, fan_out.items_total, lane is not null, now_, seq);
        seq := seq + fan_out.items_total;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || -1;
        else
          kind := 'claim'; i := lane; m := -1; return next;
          lanes := lanes[2:];
        end if;
      elsif fan_out.items_issued < fan_out.items_total then
        lane := lanes[1];
        if lane is null and settle.pure and settle.ty is null and extra > 0 then lane := -1; extra := extra - 1; end if;
        insert into dagwright.task_executions (workflow_execution_id, task_id, map_index, tenant_id, task_type,
          stays_after_failure, status, fence, attempt_number, worker_id, started_at, queued_ms, ready_at)
        select batch.e, settle.t, fan_out.items_issued, execution.tenant_id, coalesce(settle.ty->>fan_out.items_issued, u.task_type), fan_out.stays_after_failure,
          case when lane is null then 'pending'::dagwright.task_status else 'running' end, (lane is not null)::int, (lane is not null)::int,
          case when lane is not null then worker end, case when lane is not null then now_ end,
          case when lane is not null then 0 end, case when lane is null then now_ end
        from dagwright.task_executions u
        where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = settle.m;
        update dagwright.task_executions u set items_issued = u.items_issued + 1
          where u.workflow_execution_id = batch.e and u.task_id = settle.t and u.map_index = -1;
        if lane is null then
          ready_tasks := ready_tasks || settle.t; ready_indexes := ready_indexes || fan_out.items_issued;
        else
          kind := 'claim'; i := lane; m := fan_out.items_issued; fence := 1; attempt := 1; recoveries := 0; phase := null;
          return next;
          lanes := lanes[2:];
        end if;
      end if;
    end loop;

    -- WHAT FOLLOWS FAR AWAY, AND WHAT THE LANES GO ON WITH, from settles that were found (S2).
    if cardinality(settled) > 0 then
      if batch.z is not null then
        select * into step from dagwright.end_further_v1(batch.e, execution.tenant_id, batch.z, now_, seq);
        closed := closed + step.closed; failures := failures + step.failures; seq := step.next_seq;
      end if;
      if batch.wd is not null then
        woken := dagwright.wind_down_v1(batch.e, batch.wd, now_);
        ready_tasks := ready_tasks || woken; ready_indexes := ready_indexes || array_fill(-1, array[cardinality(woken)]);
      end if;
      if batch.d is not null then
        for step in select * from dagwright.wake_children_v1(worker, batch.e, batch.d, settled, lanes, extra, now_) loop
          if step.kind = 'ready' then
            ready_tasks := ready_tasks || step.t; ready_indexes := ready_indexes || -1;
          else
            kind := 'claim'; i := step.i; t := step.t; m := -1; phase := null;
            fence := step.fence; attempt := step.attempt; recoveries := step.recoveries;
            return next;
            if i = -1 then extra := extra - 1; else lanes := array_remove(lanes, i); end if;
          end if;
        end loop;
      end if;
    end if;
    -- Lanes that got no child go on with their lists.
    if has_list and cardinality(lanes) > 0 then
      kind := 'claim';
      for i, t, m, fence, attempt, recoveries, phase in select * from dagwright.claim_listed_v1(worker, batch.e, batch.s, lanes, now_) loop
        return next;
      end loop;
    end if;
    if cardinality(ready_tasks) > 0 and execution.status = 'running' then
      perform dagwright.enqueue_v1(batch.e, ready_tasks, ready_indexes, slots, execution.priority);
    end if;
    if cardinality(settled) = 0 then continue; end if;

    -- THE EXECUTION'S COUNTERS, and its end where these settles are its last or one of them ends it.
    is_drained := execution.open_tasks = closed and closed > 0 and execution.status = 'running';
    if is_drained and batch.fin is not null and execution.failed_tasks + failures = 0 then
      update dagwright.workflow_executions o set open_tasks = 0, next_seq = seq, status = 'completed',
        output = batch.fin->'out', completed_at = now_, deadline_at = null,
        duration_ms = (extract(epoch from now_ - o.started_at) * 1000)::bigint,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      kind := 'finished'; i := null; return next;
    else
      update dagwright.workflow_executions o set open_tasks = o.open_tasks - closed, next_seq = seq,
        failed_tasks = o.failed_tasks + failures, failing = o.failing or coalesce(batch.failing, false),
        concluded_by = case when is_drained then worker end,
        actual_cost_usd = o.actual_cost_usd + cost, cost_unknown = o.cost_unknown or is_cost_unknown
      where o.id = batch.e;
      if is_drained then kind := 'drained'; i := null; return next; end if;
    end if;
    if has_end then
      for settle in select r.i, r."end" from jsonb_to_recordset(batch.s) as r(i int, "end" jsonb) where r."end" is not null and r.i = any(settled) loop
        perform dagwright.end_execution_v1(batch.e, (settle."end"->>'status')::dagwright.execution_status, settle."end"->'out', settle."end"->'err', 'terminated', now_);
        kind := 'finished'; i := null; return next;
      end loop;
    end if;
  end loop;
end $$;

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
grant execute on function dagwright.start_workflow(text, jsonb, text, int, jsonb),
  dagwright.start_workflow_v2(text, jsonb, text, int, jsonb, timestamptz, int), dagwright.cancel_execution(uuid, text),
  dagwright.pause_execution(uuid), dagwright.resume_execution(uuid), dagwright.complete_callback(text, jsonb, jsonb),
  dagwright.heartbeat_callback(text), dagwright.emit_event(text, jsonb, text),
  dagwright.signal_execution(uuid, text, jsonb, text, boolean), dagwright.decide_review(uuid, text, text, bigint)
  to dagwright_caller, dagwright_tenant;

-- For the service itself, in a tenant's name: the API's actions, and what lists and views are made with.
grant execute on function dagwright.miss_ticks_v1(uuid, timestamptz[], text, boolean), dagwright.backfill_schedule_v1(uuid, int, jsonb),
  dagwright.run_schedule_v1(uuid, uuid, int), dagwright.first_id_v1(timestamptz), dagwright.count_of_v1(jsonb, text),
  dagwright.usd_of_v1(jsonb, text), dagwright.task_needs_v2(json), dagwright.missing_types_v1(jsonb),
  dagwright.read_needs_v1(uuid), dagwright.needs_of_v1(jsonb, jsonb, text),
  dagwright.decide_review_v1(uuid, text, text, jsonb, bigint, boolean), dagwright.review_names_v1(text), dagwright.review_subject_v1(text), dagwright.iso_v1(timestamptz),
  dagwright.change_review_v1(uuid, text, jsonb, boolean), dagwright.make_review_link_v1(uuid, bytea, text, bigint),
  dagwright.revoke_review_links_v1(uuid) to dagwright_tenant;
