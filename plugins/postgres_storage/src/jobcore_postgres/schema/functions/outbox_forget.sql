-- The engine knows that these have ended, or never knew of them: a JSON array of {tenant, job_id, epoch}.
create or replace function jobcore.outbox_forget(jobs jsonb) returns void
language sql
as $$
    delete from jobcore.outbox o
    using jsonb_to_recordset($1) as g (tenant uuid, job_id uuid, epoch integer)
    where o.tenant = g.tenant and o.job_id = g.job_id and o.epoch = g.epoch
$$;
