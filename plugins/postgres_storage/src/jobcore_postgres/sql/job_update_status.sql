-- Move a job if the table of moves allows it. Queueing an ended job again is an operator's retry: it raises the epoch. One that
-- ends lets go of what it held, and whoever waits for it is told.
with moved as (
    update public.jobs
    set status = %(status)s::public.job_status,
        metadata = coalesce(metadata, '{}') || %(metadata)s::jsonb,
        error = case
            when %(error)s::text is not null then jsonb_build_object('message', %(error)s::text)
            when %(status)s = 'completed' or status in ('failed', 'cancelled') then null
            else error
        end,
        epoch = epoch + (status in ('failed', 'cancelled') and %(status)s in ('queued', 'pending'))::integer,
        progress = case when %(status)s = 'completed' then 100 else progress end,
        started_at = case
            when %(status)s in ('active', 'processing') then coalesce(started_at, statement_timestamp())
            else started_at
        end,
        completed_at = case when %(status)s in ('completed', 'failed', 'cancelled') then statement_timestamp() end,
        held_key = case when %(status)s not in ('completed', 'failed', 'cancelled') then held_key end,
        lease_token = case when %(status)s in ('active', 'processing') then lease_token end,
        updated_at = statement_timestamp()
    where tenant = %(tenant)s
        and job_id = %(job_id)s
        and jobcore.job_may_move(status, %(status)s::public.job_status)
    returning tenant, job_id, status, admission is not null as is_gated
),
ended as (
    select jobcore.job_ended(array_agg(m.tenant), array_agg(m.job_id), bool_or(m.is_gated))
    from moved m
    where m.status in ('completed', 'failed', 'cancelled')
    having count(*) > 0
)
select m.job_id from moved m where (select count(*) from ended) >= 0
