-- Send each of these jobs; answer the ids of those that were let in.
select cast(coalesce(jsonb_agg(made.id order by made.ord) filter (where made.id is not null), '[]') as text)
from (
    select jobcore.pgboss_send(a.queue, j.job -> 'data', j.job -> 'options') as id, j.ord
    from (select cast($1 as text) as queue, cast(cast($2 as text) as jsonb) as jobs) a
    cross join lateral jsonb_array_elements(a.jobs) with ordinality j (job, ord)
) made
