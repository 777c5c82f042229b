-- Take jobs, a JSON array of {tenant, job_id, options?, since?}, into the outbox of their engine, to be handed over when they
-- are due. What the engine is told beside stands in `options`, or with the job's admission; one that has waited elsewhere
-- `since` an instant keeps its place.
create or replace function jobcore.outbox_admit(jobs jsonb) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    insert into jobcore.outbox (tenant, job_id, epoch, runner_type, rank, try_at, options)
    select
        b.tenant, b.job_id, b.epoch, b.runner_type, jobcore.outbox_rank(b.priority),
        greatest(b.run_at, coalesce(g.since, statement_timestamp())) + g.ord * interval '1 microsecond',
        coalesce(g.options, b.admission -> 'engine')
    from rows from (
        jsonb_to_recordset($1) as (tenant uuid, job_id uuid, options jsonb, since timestamptz)
    ) with ordinality as g (tenant, job_id, options, since, ord)
    join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    on conflict (tenant, job_id, epoch) do nothing;

    perform pg_notify('jobcore_outbox', r.runner_type)
    from (
        select distinct b.runner_type
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    ) r;
end
$$;
