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
