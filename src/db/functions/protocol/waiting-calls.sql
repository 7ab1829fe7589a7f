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
