-- The counts of a queue: pg-boss's cached ones, counted anew if they are older than `age` (seconds), unless pg-boss rests
-- from counting or another instance counts now. Null, if there is no such queue.
create or replace function jobcore.boss_queue_stats(queue text, age double precision) returns jsonb
language plpgsql
as $$
declare
    its pgboss.queue;
begin
    select q.* into its from pgboss.queue q where q.name = $1;
    if its.name is null then
        return 'null';
    end if;
    if its.monitor_on is null or (
        its.monitor_on < pgboss.job_now() - $2 * interval '1 second'
        and not exists (select from pgboss.version v where v.monitor_backoff_on > pgboss.job_now())
        and pg_try_advisory_xact_lock(jobcore.pgboss_lock_key('queue-stats')))
    then
        perform jobcore.pgboss_count(array[$1], false);
        select q.* into its from pgboss.queue q where q.name = $1;
    end if;
    return jsonb_build_object(
        'deferred_count', its.deferred_count,
        'queued_count', its.queued_count,
        'ready_count', its.ready_count,
        'active_count', its.active_count,
        'failed_count', its.failed_count,
        'total_count', its.total_count,
        'captured_on', its.monitor_on);
end
$$;
