-- Let a failed job wait for its next attempt. False, if its queue's policy has no room for another job that waits.
create or replace function jobcore.boss_fail_again(failed pgboss.job, reason jsonb) returns boolean
language plpgsql
as $$
begin
    update pgboss.job j
    set state = 'retry',
        start_after = pgboss.job_now() + interval '1 millisecond' * jobcore.pgboss_backoff_ms(
            $1.retry_count, $1.retry_delay, $1.retry_backoff, $1.retry_delay_max),
        completed_on = null,
        heartbeat_on = null,
        output = $2
    where j.name = $1.name and j.id = $1.id;
    return true;
exception
    when unique_violation then
        return false;
end
$$;
