-- Permits for calls to a limited service, for one worker, shared out between users (tenants): `users[i]` makes the call `wanted[i]`. All
-- else as exchange_permits_v1 (services.sql), which is of the release before.
--   F1  While another user waits that has less than its share, nobody gets more than that: the permits in parts as equal as can be, and
--       of a rate's last starts (1,000 at most) likewise. Who waits is who was refused within 3 s.
--   F2  Who holds every permit but the last does not get that one, where another user has asked within ten minutes: a call in its name
--       that never ends keeps no other out. Of a single permit nothing can be kept back.
--   F3  Of those that ask together, who has least goes first.
-- The row of service_limits keeps who asked, and when, and when it was refused: { user: [asked, refused] } in seconds, the 100 newest.
create or replace function dagwright.exchange_permits_v2(service text, worker uuid, released uuid[], wanted uuid[], users text[], patience_ms int)
returns table (permit_id uuid, granted boolean, held boolean, wait_ms float8)
language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
  row_ dagwright.service_limits;
  now_ timestamptz;
  seconds int;
  free int;
  start_ timestamptz;
  want record;
  given int := 0;
  seen jsonb;
  holds jsonb := '{}';
  recent jsonb := '{}';
  others text[];
  waiting text[];
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
  seconds := extract(epoch from now_);
  seen := row_.users;
  if row_.max_concurrency is not null then
    -- Those of dead workers count for nothing.
    delete from dagwright.service_permits p where p.service_id = service
      and not exists (select from dagwright.workers w where w.id = p.worker_id);
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}'), row_.max_concurrency - coalesce(sum(h.n), 0) into holds, free from (
      select coalesce(p.used_by, '') as used_by, count(*) as n from dagwright.service_permits p where p.service_id = service group by 1) h;
    -- A busy worker takes its own permits up again at once. Another that has found none for long goes first.
    if row_.waiting_worker_id <> worker and row_.waiting_since < now_ - interval '0.5 seconds'
      and row_.waiting_seen_at > now_ - interval '1 second' then free := free - 1; end if;
  end if;
  select coalesce(array_agg(s.key) filter (where (s.value->>1)::int > seconds - 3), '{}') into waiting from jsonb_each(seen) s;
  if row_.rate_limit is not null and (cardinality(waiting) > 0 or (select count(distinct u) > 1 from unnest(users) u)) then
    select coalesce(jsonb_object_agg(h.used_by, h.n), '{}') into recent from (
      select coalesce(s.used_by, '') as used_by, count(*) as n
      from generate_series(greatest(0, row_.starts - least(row_.rate_limit, 1000)), row_.starts - 1) k
      join dagwright.service_starts s on s.service_id = service and s.slot = k % row_.rate_limit
      where s.starts_at > now_ - row_.rate_interval_ms * interval '1 millisecond' group by 1) h;
  end if;
  for want in
    select w.id, w.user_ from (
      select u.id, u.user_, u.place, row_number() over (partition by u.user_ order by u.place)
        + coalesce((holds->>u.user_)::int, 0) + coalesce((recent->>u.user_)::int, 0) as has
      from unnest(wanted, users) with ordinality as u(id, user_, place)) w order by w.has, w.place
  loop
    permit_id := want.id;
    wait_ms := 0;
    held := row_.max_concurrency is not null;
    granted := not held or (free > 0 and dagwright.is_fair_share_v1(holds, waiting, want.user_, row_.max_concurrency));
    -- F2.
    if granted and held and free = 1 and row_.max_concurrency > 1 and (holds->>want.user_)::int >= row_.max_concurrency - 1 then
      granted := not exists (select from jsonb_each(seen) s where s.key <> want.user_ and (s.value->>0)::int > seconds - 600);
    end if;
    if granted and row_.rate_limit is not null then
      select greatest(now_, s.starts_at + (row_.rate_interval_ms + least(50, row_.rate_interval_ms / 20.0)) * interval '1 millisecond')
        into start_ from dagwright.service_starts s
        where s.service_id = service and s.slot = (row_.starts + given) % row_.rate_limit;
      start_ := coalesce(start_, now_);
      wait_ms := extract(epoch from start_ - now_) * 1000;
      granted := wait_ms <= patience_ms;
      if granted and not dagwright.is_fair_share_v1(recent, waiting, want.user_, least(row_.rate_limit, 1000)) then
        granted := false;
        wait_ms := greatest(wait_ms, least(1000, row_.rate_interval_ms));
      end if;
      if granted then
        insert into dagwright.service_starts as s (service_id, slot, starts_at, used_by)
        values (service, (row_.starts + given) % row_.rate_limit, start_, want.user_)
        on conflict (service_id, slot) do update set starts_at = excluded.starts_at, used_by = excluded.used_by;
        given := given + 1;
        recent := recent || jsonb_build_object(want.user_, coalesce((recent->>want.user_)::int, 0) + 1);
      end if;
    elsif not granted then
      wait_ms := null;
    end if;
    if granted and held then
      insert into dagwright.service_permits (id, service_id, worker_id, created_at, used_by)
        values (want.id, service, worker, now_, want.user_);
      free := free - 1;
      holds := holds || jsonb_build_object(want.user_, coalesce((holds->>want.user_)::int, 0) + 1);
      if row_.waiting_worker_id = worker then row_.waiting_worker_id := null; end if;
    elsif wait_ms is null and free <= 0 and (row_.waiting_worker_id is null or row_.waiting_worker_id = worker
      or row_.waiting_seen_at <= now_ - interval '1 second') then
      if row_.waiting_worker_id is distinct from worker then row_.waiting_since := now_; end if;
      row_.waiting_worker_id := worker;
      row_.waiting_seen_at := now_;
    end if;
    -- Written once a minute for who is not refused, once a second for who is.
    seen := seen || jsonb_build_object(want.user_, case when granted then jsonb_build_array(seconds / 60 * 60, 0)
      else jsonb_build_array(seconds / 60 * 60, seconds) end);
    held := held and granted;
    return next;
  end loop;
  if (select count(*) > 100 from jsonb_object_keys(seen)) then
    select jsonb_object_agg(s.key, s.value) into seen from (
      select e.key, e.value from jsonb_each(seen) e order by (e.value->>0)::int desc, (e.value->>1)::int desc limit 100) s;
  end if;
  update dagwright.service_limits l set starts = row_.starts + given, waiting_worker_id = row_.waiting_worker_id,
    waiting_since = row_.waiting_since, waiting_seen_at = row_.waiting_seen_at, users = seen
    where l.service_id = service and (given > 0 or (l.waiting_worker_id, l.waiting_seen_at, l.users)
      is distinct from (row_.waiting_worker_id, row_.waiting_seen_at, seen));
end $$;

-- Whether this user may have one more of `total`: it has less than its share, or nobody waits that has.
create or replace function dagwright.is_fair_share_v1(has jsonb, waiting text[], user_ text, total int) returns boolean
language plpgsql immutable as $$
declare
  share int;
begin
  if waiting <@ array[user_] then return true; end if;
  select ceil(total::numeric / greatest(1, count(distinct k)))::int into share
    from (select jsonb_object_keys(has) as k union select unnest(waiting) union select user_) u;
  return coalesce((has->>user_)::int, 0) < share
    or not exists (select from unnest(waiting) w where w <> user_ and coalesce((has->>w)::int, 0) < share);
end $$;
