-- Permits for calls to a limited service, for one worker: gives back those in `released`, then asks for those in `wanted`.
-- The row of service_limits is locked first and last: all workers take their turns there, in transactions that hold
-- nothing else. For each wanted permit: granted, and how long until the call may start; or not granted, and after how
-- long to ask again. `held`: it must be released. A start further away than `patience_ms` is not given.
--
-- Any `rate_limit` + 1 starts in a row span more than the interval: the ring of starts says when the call came that was
-- `rate_limit` calls ago. Calls start a little after their time, some later than others: a margin makes up for it.
create or replace function dagwright.exchange_permits_v1(service text, worker uuid, released uuid[], wanted uuid[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  free int;
  start_ timestamptz;
  permit uuid;
  given int := 0;
begin
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if not found then
    return query select w, true, false, 0::float8 from unnest(wanted) w;
    return;
  end if;
  delete from dagwright.service_permits p where p.id = any(released);
  if cardinality(wanted) = 0 then return; end if;
  if not exists (select from dagwright.workers w where w.id = worker) then
    return query select w, false, false, 1000::float8 from unnest(wanted) w;
    return;
  end if;
  now_ := clock_timestamp();
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select row_.max_concurrency - count(*) into free from dagwright.service_permits p where p.service_id = service;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  foreach permit in array wanted loop
    permit_id := permit;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or free > 0;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at)
        values (service, (row_.starts + given) % row_.rate_limit, start_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at;
        given := given + 1;
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at) values (permit, service, worker, now_);
      free := free - 1;
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    held := held and granted;
    return next;
  end loop;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at));
end $$;

-- Sets limits; null: that one is lifted. The starts that the ring knows are kept as far as they fit the new rate.
create or replace function dagwright.set_service_limit_v1(service text, concurrency int, rate int, interval_ms int) returns void
language plpgsql as $$
declare
  old_rate int;
  known timestamptz[];
begin
  insert into dagwright.service_limits (service_id, max_concurrency, rate_limit, rate_interval_ms) values (service, concurrency, rate, interval_ms)
    on conflict do nothing;
  if not found then
    select rate_limit into old_rate from dagwright.service_limits where service_id = service for no key update;
    update dagwright.service_limits set max_concurrency = concurrency, rate_limit = rate, rate_interval_ms = interval_ms,
      updated_at = clock_timestamp() where service_id = service;
  end if;
  if old_rate is not distinct from rate then return; end if;
  select array_agg(starts_at order by starts_at) into known from (
    select starts_at from dagwright.service_starts where service_id = service order by starts_at desc limit coalesce(rate, 0)) newest;
  delete from dagwright.service_starts where service_id = service;
  insert into dagwright.service_starts (service_id, slot, starts_at)
    select service, ordinality - 1, k from unnest(known) with ordinality as u (k, ordinality);
  update dagwright.service_limits set starts = coalesce(cardinality(known), 0) where service_id = service;
end $$;

-- Sets the limits that `change` names (maxConcurrency, rateLimit, rateIntervalMs; null: lifted), and leaves the others; those that hold
-- from then on. Of two at once both count: the row is locked before it is read, also one that is just being made.
create or replace function dagwright.change_service_limit_v1(service text, change jsonb)
returns table (max_concurrency int, rate_limit int, rate_interval_ms int)
language plpgsql as $$
#variable_conflict use_column
declare
  row_ dagwright.service_limits;
begin
  insert into dagwright.service_limits (service_id) values (service) on conflict do nothing;
  select * into row_ from dagwright.service_limits l where l.service_id = service for no key update;
  if change ? 'maxConcurrency' then row_.max_concurrency := (change->>'maxConcurrency')::int; end if;
  if change ? 'rateLimit' then row_.rate_limit := (change->>'rateLimit')::int; end if;
  if change ? 'rateIntervalMs' then row_.rate_interval_ms := (change->>'rateIntervalMs')::int; end if;
  perform dagwright.set_service_limit_v1(service, row_.max_concurrency, row_.rate_limit, row_.rate_interval_ms);
  return query select row_.max_concurrency, row_.rate_limit, row_.rate_interval_ms;
end $$;

-- Whether the call `probe` of this worker may try an open service: its time is over and nobody else tries. The row as it
-- was before, where there is one: openings, milliseconds left, whether another tries.
create or replace function dagwright.probe_service_v1(service text, worker uuid, probe uuid)
returns table (granted boolean, openings int, open_for_ms float8, is_probing boolean, paused_for_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_states;
  now_ timestamptz;
begin
  select * into row_ from dagwright.service_states s where s.service_id = service for no key update;
  if not found then return; end if;
  now_ := clock_timestamp();
  openings := row_.openings;
  open_for_ms := coalesce(extract(epoch from row_.open_until - now_) * 1000, 0);
  paused_for_ms := coalesce(extract(epoch from row_.paused_until - now_) * 1000, 0);
  is_probing := dagwright.is_probing_v1(row_);
  granted := row_.openings > 0 and open_for_ms <= 0 and not is_probing
    and exists (select from dagwright.workers w where w.id = worker);
  if granted then
    update dagwright.service_states s set probe_id = probe, probe_worker_id = worker, probe_started_at = now_
      where s.service_id = service;
  end if;
  return next;
end $$;

-- A probe counts while its worker's row exists, and for ten minutes at most.
create or replace function dagwright.is_probing_v1(state dagwright.service_states) returns boolean
language sql stable as $$
  select state.probe_id is not null and state.probe_started_at > clock_timestamp() - interval '10 minutes'
    and exists (select from dagwright.workers w where w.id = state.probe_worker_id)
$$;
