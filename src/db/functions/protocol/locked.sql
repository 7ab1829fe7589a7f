-- Looks at executions that somebody has locked: a caller's own transaction, an operator's, another worker's. What needs one of them was
-- passed by, and goes again when it is free (db/protocol/locked-executions.ts).
--   L1  A look is in nobody's way: it takes the lock within a block that is undone at once, and its commit waits for no disk.
--   L2  One that is gone is not locked.

-- Those of these executions that are locked now. Waits for none.
create or replace function dagwright.locked_executions_v1(ids uuid[]) returns uuid[]
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  free uuid[];
begin
  perform set_config('synchronous_commit', 'off', true);
  begin
    free := array(select o.id from dagwright.workflow_executions o where o.id = any(ids) order by o.id for no key update skip locked);
    raise 'undo' using errcode = 'DW002';
  exception when sqlstate 'DW002' then null;
  end;
  return array(select o.id from dagwright.workflow_executions o where o.id = any(ids) and not o.id = any(free));
end $$;

-- Waits until nobody has the execution locked, `most_ms` at most; false: somebody still has.
create or replace function dagwright.await_execution_v1(x uuid, most_ms int) returns boolean
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform set_config('synchronous_commit', 'off', true), set_config('lock_timeout', most_ms::text, true);
  begin
    perform from dagwright.workflow_executions o where o.id = x for no key update;
    raise 'undo' using errcode = 'DW002';
  exception
    when sqlstate 'DW002' then return true;
    when lock_not_available then return false;
  end;
end $$;
