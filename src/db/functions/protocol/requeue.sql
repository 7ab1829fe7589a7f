-- Hands ready tasks back to the queue: the rest of a list whose lane is busy, or a lane that ends. p: { slots, x: [{ e, l }] }.
create or replace function dagwright.requeue_v1(p jsonb) returns void
language plpgsql set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  x record;
begin
  for x in select o.id, o.priority, r.l from jsonb_to_recordset(p->'x') as r(e uuid, l jsonb)
           join dagwright.workflow_executions o on o.id = r.e loop
    perform dagwright.enqueue_v1(x.id, array(select l.value->>0 from jsonb_array_elements(x.l) with ordinality l order by l.ordinality),
      array(select (l.value->>1)::int from jsonb_array_elements(x.l) with ordinality l order by l.ordinality),
      (p->>'slots')::int, x.priority);
  end loop;
end $$;
