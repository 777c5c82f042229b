-- Delete up to `lim` dependencies of a queue's jobs, on either side, whose job is gone; return how many.
create or replace function jobcore.pgboss_prune_dependencies(queue text, lim integer) returns integer
language sql
as $$
    with orphans as (
        select d.ctid
        from pgboss.job_dependency d
        where d.child_name = $1
                and not exists (select from pgboss.job j where j.name = d.child_name and j.id = d.child_id)
            or d.parent_name = $1
                and not exists (select from pgboss.job j where j.name = d.parent_name and j.id = d.parent_id)
        limit $2
        for update skip locked
    ),
    removed as (
        delete from pgboss.job_dependency d using orphans o where d.ctid = o.ctid returning 1
    )
    select count(*)::integer from removed
$$;
