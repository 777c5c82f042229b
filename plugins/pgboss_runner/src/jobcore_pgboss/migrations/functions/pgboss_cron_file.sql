-- File occurrences of pg-boss's schedules into its own queue: a JSON array of {name, key, slot}, the slot being the minute
-- (UTC) that the occurrence falls in. The throttle index lets one job in for each schedule and minute, whoever files it.
create or replace function jobcore.pgboss_cron_file(occurrences jsonb) returns integer
language plpgsql
as $$
declare
    filed integer;
begin
    insert into pgboss.queue (
        name, policy, retry_limit, retry_delay, retry_backoff, expire_seconds, retention_seconds, deletion_seconds,
        partition, table_name, notify)
    values ('__pgboss__send-it', 'standard', 2, 0, false, 900, 1209600, 604800, false, 'job_common', false)
    on conflict do nothing;

    insert into pgboss.job (
        name, data, singleton_key, singleton_on, start_after, created_on, keep_until, retry_limit, retry_delay,
        retry_backoff, retry_delay_max, expire_seconds, deletion_seconds, policy, dead_letter, heartbeat_seconds)
    select
        q.name,
        jsonb_build_object('name', s.name, 'key', s.key, 'data', s.data, 'options', s.options, 'slot', o.slot),
        replace(s.name, '_', '\_') || '__' || s.key,
        o.slot::timestamp, pgboss.job_now(), pgboss.job_now(),
        pgboss.job_now() + q.retention_seconds * interval '1 second',
        q.retry_limit, q.retry_delay, q.retry_backoff, q.retry_delay_max, q.expire_seconds, q.deletion_seconds,
        q.policy, q.dead_letter, q.heartbeat_seconds
    from jsonb_to_recordset($1) as o (name text, key text, slot text)
    join pgboss.schedule s on s.name = o.name and s.key = o.key
    join pgboss.queue q on q.name = '__pgboss__send-it'
    order by s.name, s.key, o.slot
    on conflict do nothing;
    get diagnostics filed = row_count;
    return filed;
end
$$;
