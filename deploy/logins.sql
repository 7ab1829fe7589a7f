-- The logins of an installation, one for each kind of process, none of which is a superuser or may make roles:
--   dagwright_deploy     runs `migrate`; the database is its own
--   dagwright_api, dagwright_worker, dagwright_scheduler     run what they are named after
-- Run as an administrator, in the database that is to be Dagwright's, before the first `migrate`; again it sets the passwords anew:
--   psql "$ADMIN_URL" -v deploy="$DEPLOY_PASSWORD" -v api="$API_PASSWORD" -v worker="$WORKER_PASSWORD" \
--     -v scheduler="$SCHEDULER_PASSWORD" -f deploy/logins.sql
\set ON_ERROR_STOP on
begin;
select set_config('logins.deploy', :'deploy', true), set_config('logins.api', :'api', true),
  set_config('logins.worker', :'worker', true), set_config('logins.scheduler', :'scheduler', true);

do $$
declare
  taken constant text[] := array['dagwright_owner', 'dagwright_engine', 'dagwright_tenant'];
  name text;
begin
  foreach name in array taken || 'dagwright_caller'::text loop
    if not exists (select from pg_roles where rolname = name) then execute format('create role %I nologin', name); end if;
  end loop;
  foreach name in array array['deploy', 'api', 'worker', 'scheduler'] loop
    if not exists (select from pg_roles where rolname = 'dagwright_' || name) then
      execute format('create role %I', 'dagwright_' || name);
    end if;
    execute format('alter role %I login nosuperuser nocreaterole nocreatedb password %L', 'dagwright_' || name,
      current_setting('logins.' || name));
    execute format('grant %s to %I', array_to_string(taken, ', '), 'dagwright_' || name);
  end loop;
  execute format('alter database %I owner to dagwright_deploy', current_database());
end $$;
commit;
