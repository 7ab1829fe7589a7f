-- Records an event of the current tenant in the caller's own transaction and returns its id; rolled back with the caller.
-- It starts the definitions that have a trigger for its type, within about a second after the commit. The same
-- idempotency_key of the same type returns the first event's id, and starts nothing again.
create or replace function dagwright.emit_event(type text, payload jsonb default '{}', idempotency_key text default null) returns uuid
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  tenant constant uuid := dagwright.current_tenant();
  event_id uuid;
begin
  if emit_event.type is null or emit_event.type !~ '^[A-Za-z][A-Za-z0-9_.:/-]{0,199}$' then
    raise exception 'the type of an event is a letter, then letters, digits and _ . : / -, at most 200 in all' using errcode = '22023';
  end if;
  if emit_event.payload is null then
    raise exception 'the payload of an event is JSON, not null' using errcode = '22023', hint = 'for an event without one: {}';
  end if;
  if octet_length(emit_event.payload::text) > 1000000 then
    raise exception 'the payload of an event has at most 1000000 bytes of JSON' using errcode = '54000';
  end if;
  if octet_length(emit_event.idempotency_key) not between 1 and 500 then
    raise exception 'an idempotency_key has 1 to 500 bytes' using errcode = '22023';
  end if;
  insert into dagwright.events (id, tenant_id, type, payload, idempotency_key, created_by, created_at)
  values (dagwright.uuid_v7(), tenant, emit_event.type, emit_event.payload, emit_event.idempotency_key, dagwright.current_actor(), clock_timestamp())
  on conflict (tenant_id, type, idempotency_key) where idempotency_key is not null do nothing
  returning id into event_id;
  if event_id is null then
    select e.id into event_id from dagwright.events e
      where e.tenant_id = tenant and e.type = emit_event.type and e.idempotency_key = emit_event.idempotency_key;
  end if;
  return event_id;
end $$;
