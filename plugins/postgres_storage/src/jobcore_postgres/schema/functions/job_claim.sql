-- Record that leases run: a JSON array of {tenant, job_id, attempt, token, epoch?, external_id?, run_id?}; `ord` counts its elements from 1.
-- Granted to a higher attempt than the stored one, from any state that is not an end (so a takeover as well), and again
-- to the token that holds the job. Locks rows in the order of (tenant, job_id): with sequential scans and hash and merge
-- joins off, the sorted input drives a lookup by primary key, also while the table has no statistics.
create or replace function jobcore.job_claim(leases jsonb, worker uuid)
returns table (ord integer, granted boolean, cancel_requested jsonb)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    return query
        with given as materialized (
            select i.tenant, i.job_id, i.attempt, i.token, i.epoch, i.external_id, i.run_id, i.ord::integer as ord
            from rows from (
                jsonb_to_recordset($1) as (
                    tenant uuid, job_id uuid, attempt integer, token text, epoch integer,
                    external_id text, run_id text)
            ) with ordinality as i (tenant, job_id, attempt, token, epoch, external_id, run_id, ord)
            order by i.tenant, i.job_id
        ),
        claimed as (
            update public.jobs j
            set status = 'processing',
                attempt = g.attempt,
                lease_token = g.token,
                worker_id = $2,
                external_id = coalesce(g.external_id, j.external_id),
                external_run_id = coalesce(g.run_id, j.external_run_id),
                started_at = case
                    when j.attempt = g.attempt then coalesce(j.started_at, statement_timestamp())
                    else statement_timestamp()
                end,
                updated_at = statement_timestamp()
            from given g
            where j.tenant = g.tenant
                and j.job_id = g.job_id
                and j.status in ('pending', 'queued', 'active', 'processing')
                and (g.epoch is null or j.epoch = g.epoch)
                and (j.attempt < g.attempt or (j.attempt = g.attempt and j.lease_token = g.token))
            returning g.ord, j.cancel_requested
        )
        select a.ord, bool_or(a.granted), (array_agg(a.cancel_requested) filter (where a.granted))[1]
        from (
            select c.ord, true, c.cancel_requested from claimed c
            union all
            select g.ord, false, null from given g
        ) a (ord, granted, cancel_requested)
        group by a.ord
        order by a.ord;
end
$$;
