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
