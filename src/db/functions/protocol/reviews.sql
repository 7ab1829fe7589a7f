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
