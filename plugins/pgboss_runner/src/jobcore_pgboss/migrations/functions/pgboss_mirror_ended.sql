-- Write into `jobs` up to `lim` jobs a queue that ended in pg-boss between two instants; true if there may be more.
create or replace function jobcore.pgboss_mirror_ended(since timestamptz, until timestamptz, lim integer) returns boolean
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    its_queue text;
    ended uuid[];
    more boolean := false;
begin
    for its_queue in
        select q.name from pgboss.queue q where not starts_with(q.name, '__pgboss__') order by q.name
    loop
        select array_agg(e.id) into ended
        from (
            select j.id
            from pgboss.job j
            where j.name = its_queue
                and j.completed_on > $1
                and j.completed_on <= $2
                and not exists (
                    select
                    from public.jobs b
                    where b.tenant = jobcore.pgboss_tenant(j.group_id, j.data)
                        and b.job_id = j.id
                        and (
                            b.status::text = j.state::text
                            or b.status in ('completed', 'failed', 'cancelled') and b.completed_at >= j.started_on
                            or b.status = 'completed')
                    offset 0)  -- a look by key for each
            order by j.completed_on, j.id
            limit $3
        ) e;
        if ended is not null then
            -- A batch of which nothing can be written must not be taken again and again.
            more := (jobcore.pgboss_record_ends(its_queue, ended) > 0 and cardinality(ended) = $3) or more;
        end if;
    end loop;
    return more;
end
$$;
