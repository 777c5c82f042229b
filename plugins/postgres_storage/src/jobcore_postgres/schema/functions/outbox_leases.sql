-- Which of these leases, a JSON array of {tenant, job_id, token, epoch}, still hold their jobs, and which of those are to stop.
create or replace function jobcore.outbox_leases(leases jsonb)
returns table (ord integer, held boolean, cancel_requested jsonb)
language sql stable
as $$
    select
        g.ord::integer,
        coalesce(b.lease_token = g.token and b.epoch = g.epoch and b.status in ('active', 'processing'), false),
        b.cancel_requested
    from rows from (
        jsonb_to_recordset($1) as (tenant uuid, job_id uuid, token text, epoch integer)
    ) with ordinality as g (tenant, job_id, token, epoch, ord)
    left join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
$$;
