-- Whether jobs stand as these settlements would have left them: asked after a lost reply, when the fence is missed because
-- the settlement had been written. A JSON array as `pgboss_settle` takes it.
create or replace function jobcore.pgboss_was_settled(settlements jsonb)
returns table (ord integer, settled boolean)
language sql stable
as $$
    select g.ord::integer,
        coalesce(
            case
                when g.outcome in ('completed', 'failed', 'cancelled')
                    then b.status::text = g.outcome and b.attempt = g.attempt
                when g.outcome = 'retry' then b.status in ('queued', 'cancelled') and b.attempt = g.attempt
                else b.status in ('queued', 'cancelled') and b.attempt = g.attempt - 1
            end,
            false)
    from rows from (
        jsonb_to_recordset($1) as (tenant uuid, job_id uuid, attempt integer, outcome text)
    ) with ordinality as g (tenant, job_id, attempt, outcome, ord)
    left join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    order by g.ord
$$;
