-- The walks that have something to look at: tenant, state, how long it is kept, and the time of making to begin at. That
-- is where the last walk ended, or the beginning if none has begun there for the interval `sweep`.
create or replace function jobcore.retention_due(defaults jsonb, sweep interval)
returns table (tenant uuid, state text, keep_ms bigint, since timestamptz)
language sql stable
as $$
    select r.tenant, r.state, r.keep_ms, f.since
    from jobcore.retention_rules($1) r
    left join jobcore.retention_marks m on m.tenant = r.tenant and m.state = r.state::public.job_status
    cross join lateral (
        select case when m.swept_at > statement_timestamp() - $2 then m.seen_to else '-infinity' end
    ) f (since)
    where exists (
        select from public.jobs j
        where j.tenant = r.tenant
            and j.created_at >= f.since
            and j.created_at < statement_timestamp() - r.keep_ms * interval '1 millisecond');
$$;
