with given as (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as o
),
changed as (
    update pgboss.queue q
    set retry_limit = coalesce(cast(o ->> 'retryLimit' as integer), q.retry_limit),
        retry_delay = coalesce(cast(o ->> 'retryDelay' as integer), q.retry_delay),
        retry_backoff = coalesce(cast(o ->> 'retryBackoff' as boolean), q.retry_backoff),
        retry_delay_max = case
            when o -> 'retryDelayMax' is not null then cast(o ->> 'retryDelayMax' as integer) else q.retry_delay_max end,
        expire_seconds = coalesce(cast(o ->> 'expireInSeconds' as integer), q.expire_seconds),
        retention_seconds = coalesce(cast(o ->> 'retentionSeconds' as integer), q.retention_seconds),
        deletion_seconds = coalesce(cast(o ->> 'deleteAfterSeconds' as integer), q.deletion_seconds),
        warning_queued = coalesce(cast(o ->> 'warningQueueSize' as integer), q.warning_queued),
        heartbeat_seconds = case
            when o -> 'heartbeatSeconds' is not null then cast(o ->> 'heartbeatSeconds' as integer)
            else q.heartbeat_seconds end,
        notify = coalesce(cast(o ->> 'notify' as boolean), q.notify),
        dead_letter = case when o -> 'deadLetter' is not null then o ->> 'deadLetter' else q.dead_letter end,
        updated_on = pgboss.job_now()
    from given g
    where q.name = g.name
    returning 1
)
select cast(count(*) as text) from changed
