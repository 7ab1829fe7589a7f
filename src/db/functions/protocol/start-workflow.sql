-- Starts for other services, in their own transactions.

-- Starts a workflow in the caller's own transaction and returns the execution's id; rolled back with the caller.
-- priority 1 to 10, higher first. The same idempotency_key returns the first execution of that workflow. input: at most 1,000,000
-- bytes, metadata 16,000, idempotency_key 500.
create or replace function dagwright.start_workflow(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  return dagwright.start_workflow_v2(workflow_id, input, idempotency_key, priority, metadata);
end $$;

-- The same, not opened before run_at (null, or a time that is over: at once), and under a revision (null: the one that starts take now).
-- A function of its own: with more arguments of the same name, calls without them would mean either.
create or replace function dagwright.start_workflow_v2(workflow_id text, input jsonb default '{}', idempotency_key text default null,
  priority int default 5, metadata jsonb default null, run_at timestamptz default null, revision int default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  started record;
begin
  if priority is null or priority not between 1 and 10 then
    raise exception 'priority must be 1 to 10, got %', coalesce(priority::text, 'null') using errcode = '22023';
  end if;
  if octet_length(input::text) > 1000000 then perform dagwright.refuse_size_v1('the input', 1000000); end if;
  if octet_length(metadata::text) > 16000 then perform dagwright.refuse_size_v1('the metadata', 16000); end if;
  if octet_length(idempotency_key) > 500 then
    raise exception 'an idempotency_key has at most 500 bytes' using errcode = '22023', hint = 'a hash of what names the start: md5(…)';
  end if;
  if not isfinite(run_at) then
    raise exception 'run_at must be a time, got %', run_at using errcode = '22023', hint = 'null starts it at once';
  end if;
  if revision < 1 then
    raise exception 'revision must be 1 or more, got %', revision using errcode = '22023', hint = 'null takes the one that starts take now';
  end if;
  select * into started from dagwright.start_executions_v1(dagwright.current_tenant(), jsonb_build_array(jsonb_strip_nulls(
    jsonb_build_object('i', 0, 'id', dagwright.uuid_v7(), 'workflowId', workflow_id, 'key', idempotency_key, 'priority', priority, 'triggerType', 'sql',
      'createdBy', dagwright.current_actor(), 'runAt', run_at, 'revision', revision))
    || jsonb_build_object('input', coalesce(input, '{}'), 'metadata', metadata)));
  if started.problem = 'not_found' and revision is not null then
    raise exception 'workflow "%" with revision % does not exist in this tenant', left(workflow_id, 200), revision using errcode = 'P0002',
      hint = 'its revisions: dagwright workflows revisions ID';
  elsif started.problem = 'not_found' then
    raise exception 'workflow "%" does not exist in this tenant', left(workflow_id, 200) using errcode = 'P0002',
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
