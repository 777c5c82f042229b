-- Try these again later: a JSON array of {tenant, job_id, epoch, seconds, error}.
create or replace function jobcore.outbox_postpone(jobs jsonb) returns void
language sql
as $$
    update jobcore.outbox o
    set try_at = statement_timestamp() + g.seconds * interval '1 second',
        error = g.error
    from (
        select *
        from jsonb_to_recordset($1) as g (
            tenant uuid, job_id uuid, epoch integer, seconds double precision, error text)
        order by g.tenant, g.job_id
    ) g
    where o.tenant = g.tenant and o.job_id = g.job_id and o.epoch = g.epoch
$$;
