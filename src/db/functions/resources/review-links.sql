-- Links for people without a key (LANGUAGE H4): whoever has one decides its review, once, as the person that it was made for.
--   L1  Only the SHA-256 of a link's token is kept. It is of one review and one person, expires, and can be revoked.
--   L2  Looking at it changes nothing; the vote that counts uses it up, in its own commit.
--   L3  It may no more than its person: self-approval, assignees and claims are judged as for anybody (decide_review_v1).
--   L4  Lock order: execution, task, review, responses, link.

-- Makes a link known. `person`: as assignees are written; null: nobody in particular. False: no such open review.
create or replace function dagwright.make_review_link_v1(review_id uuid, hash bytea, person text, expires_ms bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into dagwright.review_links (token_hash, tenant_id, review_id, person, created_at, created_by, expires_at)
  select hash, h.tenant_id, h.id, make_review_link_v1.person, clock_timestamp(), dagwright.current_actor(),
    clock_timestamp() + expires_ms * interval '1 millisecond'
  from dagwright.human_tasks h where h.id = review_id and h.tenant_id = dagwright.current_tenant() and h.status = 'open'
  on conflict do nothing;
  if not found then return false; end if;
  perform dagwright.audit_v1(dagwright.current_tenant(), 'reviews.link', 'reviews', review_id::text, null, jsonb_build_object('person', person));
  return true;
end $$;

-- Takes back all links of a review that are not used yet; how many they were. Null: there is no such review.
create or replace function dagwright.revoke_review_links_v1(review_id uuid) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  n int;
begin
  if not exists (select from dagwright.human_tasks h where h.id = review_id and h.tenant_id = dagwright.current_tenant()) then return null; end if;
  update dagwright.review_links l set revoked_at = clock_timestamp()
    where l.review_id = revoke_review_links_v1.review_id and l.used_at is null and l.revoked_at is null;
  get diagnostics n = row_count;
  if n > 0 then
    perform dagwright.audit_v1(dagwright.current_tenant(), 'reviews.revoke', 'reviews', review_id::text, null, jsonb_build_object('links', n));
  end if;
  return n;
end $$;

-- What a link is: { state: 'open', 'used', 'revoked' or 'expired', tenant, review, person }; null: there is none. For whoever has its
-- token, whatever the tenant.
create or replace function dagwright.read_review_link_v1(hash bytea) returns jsonb language sql stable as $$
  select jsonb_build_object('tenantId', l.tenant_id, 'reviewId', l.review_id, 'person', l.person, 'state', case
    when l.used_at is not null then 'used' when l.revoked_at is not null then 'revoked' when l.expires_at <= clock_timestamp() then 'expired'
    else 'open' end)
  from dagwright.review_links l where l.token_hash = hash
$$;

-- A vote by a link, as its person: the answer of decide_review_v1, or { outcome: 'link', state }.
create or replace function dagwright.decide_by_link_v1(hash bytea, decision text, comment text, data jsonb, fence bigint) returns jsonb
language plpgsql as $$
declare
  link jsonb := dagwright.read_review_link_v1(hash);
  answer jsonb;
begin
  if link is null then return null; end if;
  perform set_config('app.current_tenant_id', link->>'tenantId', true),
    set_config('app.actor', coalesce(link->>'person', 'link:' || encode(substring(hash for 6), 'hex')), true);
  perform from dagwright.human_tasks h join dagwright.workflow_executions o on o.id = h.workflow_execution_id
    where h.id = (link->>'reviewId')::uuid for no key update of o;
  -- Another vote by it may have come before.
  link := dagwright.read_review_link_v1(hash);
  if link->>'state' <> 'open' then return jsonb_build_object('outcome', 'link', 'state', link->>'state'); end if;
  answer := dagwright.decide_review_v1((link->>'reviewId')::uuid, decision, comment, data, fence, false);
  if answer->>'outcome' in ('decided', 'voted') then
    update dagwright.review_links l set used_at = clock_timestamp() where l.token_hash = hash;
  end if;
  return answer;
end $$;
