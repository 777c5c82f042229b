-- The engine has these now: a JSON array of {tenant, job_id, epoch}. Somebody looks after `seconds` whether it still does.
create or replace function jobcore.outbox_handed(jobs jsonb, seconds double precision) returns void
language sql
as $$
    update jobcore.outbox o
    set state = 'handed',
        try_at = statement_timestamp() + $2 * interval '1 second',
        error = null
    from (
        select g.tenant, g.job_id, g.epoch
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid, epoch integer)
        order by g.tenant, g.job_id
    ) g
    where o.tenant = g.tenant and o.job_id = g.job_id and o.epoch = g.epoch and o.state = 'due'
$$;
