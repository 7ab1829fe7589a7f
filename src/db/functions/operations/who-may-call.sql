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
