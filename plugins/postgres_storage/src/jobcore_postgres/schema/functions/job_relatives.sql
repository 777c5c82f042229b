-- The jobs that hang together with one, itself among them, at most `lim` and the nearest first: jobs that enqueued one another,
-- or that waited for one another. `after` are those for whose end each was made to wait.
create or replace function jobcore.job_relatives(tenant uuid, job_id uuid, lim integer)
returns table (relative uuid, after uuid[])
language plpgsql
as $$
#variable_conflict use_column
declare
    found_ids uuid[] := array[$2];
    nearest uuid[] := array[$2];
begin
    while cardinality(nearest) > 0 and cardinality(found_ids) < $3 loop
        select coalesce(array_agg(distinct n.id), '{}') into nearest
        from unnest(nearest) as f (id)
        cross join lateral (
            select d.child_id from jobcore.dependencies d where d.tenant = $1 and d.parent_id = f.id
            union all
            select d.parent_id from jobcore.dependencies d where d.tenant = $1 and d.child_id = f.id
            union all
            select j.job_id from public.jobs j where j.tenant = $1 and j.parent_job_id = f.id
            union all
            select j.parent_job_id from public.jobs j where j.tenant = $1 and j.job_id = f.id
        ) n (id)
        where n.id is not null and n.id <> all (found_ids);
        found_ids := found_ids || nearest;
    end loop;
    return query
        select f.id, array(
            select d.parent_id from jobcore.dependencies d where d.tenant = $1 and d.child_id = f.id order by d.parent_id)
        from unnest(found_ids[:$3]) with ordinality as f (id, ord)
        order by f.ord;
end
$$;
