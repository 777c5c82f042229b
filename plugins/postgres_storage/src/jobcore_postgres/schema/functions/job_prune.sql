-- Delete one batch of a tenant's jobs that ended in `state` at least `keep_ms` ago, with their details: at most `most` of
-- the next `scan` jobs by time of making, from `since` on. A job was made before it ended, so the index of (tenant,
-- created_at) finds them in order, and no index names a column that a run changes. Founding rows have no completed_at.
-- `seen_to` is where the next batch begins; `more` is false at the end of the walk. A job that somebody holds is left for
-- the next time. Callers set lock_timeout, for a detail that somebody holds, and statement_timeout, so that nobody waits
-- long for what is deleted; synchronous_commit may be off: deletions that a crash undoes are made again.
create or replace function jobcore.job_prune(
    tenant uuid, state text, keep_ms bigint, since timestamptz, scan integer, most integer
) returns table (jobs integer, details integer, seen_to timestamptz, more boolean)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    cutoff constant timestamptz := statement_timestamp() - $3 * interval '1 millisecond';
begin
    if $2 not in ('completed', 'failed', 'cancelled') then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('jobs that are %s have not ended, and are never pruned', $2);
    end if;
    return query
        with looked_at as materialized (
            select j.tenant, j.job_id, j.created_at, j.status,
                coalesce(j.completed_at, j.updated_at, j.created_at) as ended_at
            from public.jobs j
            where j.tenant = $1 and j.created_at >= $4 and j.created_at < cutoff
            order by j.created_at
            limit $5
        ),
        found as materialized (
            select l.tenant, l.job_id, l.created_at
            from looked_at l
            where l.status = $2::public.job_status
                and l.ended_at < cutoff
                and not jobcore.job_is_needed(l.tenant, l.job_id)
            order by l.created_at
            limit $6
        ),
        held as materialized (
            select j.tenant, j.job_id
            from found f
            join public.jobs j on j.tenant = f.tenant and j.job_id = f.job_id
            where j.status = $2::public.job_status
            order by j.job_id
            for update of j skip locked
        ),
        gone_details as (
            delete from public.job_details d using held h where d.tenant = h.tenant and d.job_id = h.job_id
            returning d.detail_id
        ),
        gone_children as (
            delete from jobcore.dependencies d using held h
            where d.tenant = h.tenant and d.parent_id = h.job_id and d.settled
        ),
        gone_parents as (
            delete from jobcore.dependencies d using held h
            where d.tenant = h.tenant and d.child_id = h.job_id
        ),
        gone as (
            delete from public.jobs j using held h where j.tenant = h.tenant and j.job_id = h.job_id
            returning j.job_id
        ),
        counts as (
            select (select count(*) from gone)::integer as jobs, (select count(*) from gone_details)::integer as details,
                (select count(*) from looked_at) as looked_at, (select count(*) from found) as found
        )
        select c.jobs, c.details,
            case
                when c.found = $6 then (select max(f.created_at) from found f)
                when c.looked_at = $5 then (select max(l.created_at) from looked_at l)
                else greatest(cutoff, $4)
            end,
            c.found = $6 or c.looked_at = $5
        from counts c;
end
$$;
