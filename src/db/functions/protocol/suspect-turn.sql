-- Whether this worker may hold its other attempts back for a task that has crashed workers, for so long at most: one of all workers
-- at a time, so that the others go on. Waits for nobody; a worker that dies with the turn has it until its time is over.
create or replace function dagwright.take_suspect_turn_v1(worker uuid, for_ms int) returns boolean
language plpgsql as $$
begin
  if not pg_try_advisory_xact_lock(1148, 2) then return false; end if;
  -- A statement of its own: its snapshot must be younger than the lock.
  if exists (select from dagwright.workers w where w.id <> worker and w.suspects_until > clock_timestamp()) then return false; end if;
  update dagwright.workers set suspects_until = clock_timestamp() + for_ms * interval '1 millisecond' where id = worker;
  return found;
end $$;
