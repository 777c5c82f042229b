-- Note how many ended rows a queue kept of those that had ended by `retained_before`: what pg-boss's counts start from,
-- since version 46. greatest() takes no null of the count: it is the walk that counted them all.
create or replace function jobcore.pgboss_prune_counted(queue text, retained integer, retained_before timestamptz)
returns void
language plpgsql
as $$
begin
    update pgboss.queue q
    set retained_count = $2,
        retained_on = $3,
        total_count = q.queued_count + q.active_count + q.failed_count + $2 + (
            select count(*)
            from pgboss.job j
            where j.name = $1
                and j.completed_on > $3
                and j.completed_on <= pgboss.job_now()
                and j.state in ('completed', 'cancelled'))
    where q.name = $1;
end
$$;
