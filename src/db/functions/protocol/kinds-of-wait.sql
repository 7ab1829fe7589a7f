-- What the functions must know of the kinds of wait, as core/wait.ts decides it; a test compares the two. They compare as text:
-- PostgreSQL lets nobody use a value of an enum type in the transaction that adds it, and a migration is one transaction.

-- What ends such a wait: its 'time', the end of its 'parts', an 'answer' from outside, or a 'decision' of people.
create or replace function dagwright.wait_ends_by_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'time' when 'callback' then 'answer' when 'items' then 'parts' when 'signal' then 'answer'
    when 'review' then 'decision' end
$$;

-- What a pause does to its timer: 'stands_still' (what was left is left after it), 'held' (its moment stays) or 'none'.
create or replace function dagwright.wait_in_pause_v1(kind dagwright.wait_kind) returns text language sql stable as $$
  select case kind::text when 'timer' then 'held' when 'callback' then 'stands_still' when 'items' then 'none' when 'signal' then 'stands_still'
    when 'review' then 'held' end
$$;
