-- What a verb answers that changes jobs: which it changed. Null, if there is no such queue.
create or replace function jobcore.boss_answer(queue text, changed uuid[]) returns jsonb
language sql stable
as $$
    select case
        when exists (select from pgboss.queue q where q.name = $1)
            then jsonb_build_object('affected', cardinality($2), 'changed', to_jsonb($2))
        else 'null'
    end
$$;
