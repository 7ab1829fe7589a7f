create or replace function dagwright.unlock_pools_v1(pools text[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(pools)
$$;

-- Unlocks the jobs of every pool that no worker has noted as its own: a worker may die before it can note one.
create or replace function dagwright.unlock_lost_pools_v1() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  select graphile_worker.force_unlock_workers(array(select distinct locked_by from graphile_worker._private_jobs
    where locked_by is not null and locked_by not in (select unnest(pool_ids) from dagwright.workers)))
$$;
