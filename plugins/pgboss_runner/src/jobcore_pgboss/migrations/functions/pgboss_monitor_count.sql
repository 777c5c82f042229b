-- Count the jobs of these queues, unless another instance counts now: then they are due again for whoever comes by.
create or replace function jobcore.pgboss_monitor_count(queues text[])
returns table (queue text, queued integer, warn_above integer, seconds double precision)
language plpgsql
as $$
#variable_conflict use_column
begin
    if not pg_try_advisory_xact_lock(jobcore.pgboss_lock_key('queue-stats')) then
        update pgboss.queue q
        set monitor_claim_on = null
        from (
            select l.name from pgboss.queue l where l.name = any ($1) order by l.name for no key update
        ) mine
        where q.name = mine.name;
        return;
    end if;

    return query select * from jobcore.pgboss_count($1, true);
end
$$;
