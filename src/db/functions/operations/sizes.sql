-- What other services give by SQL is bounded as what comes by HTTP is. Callers measure by themselves, since that costs a small value
-- about a microsecond and a call of another function three times that; pg_column_size would not do, as it is what compression left.

-- Refuses a value that has more than so many bytes as the database writes JSON: with spaces, and 1e300 with all its digits.
create or replace function dagwright.refuse_size_v1(what text, most int) returns void language plpgsql immutable as $$
begin
  raise exception '% has more than % bytes of JSON', what, most using errcode = '54000',
    hint = 'keep what is large elsewhere, and give its place';
end $$;
