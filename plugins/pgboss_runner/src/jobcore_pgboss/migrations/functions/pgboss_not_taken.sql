-- Fail those admitted jobs, a JSON array of {tenant, job_id}, that their queue did not take, with the reason.
create or replace function jobcore.pgboss_not_taken(jobs jsonb) returns void
language plpgsql
as $$
begin
    perform jobcore.job_settle(jsonb_agg(jsonb_build_object(
        'tenant', b.tenant, 'job_id', b.job_id, 'outcome', 'failed', 'error', jsonb_build_object(
            'type', 'NotTakenError',
            'message', case
                when exists (
                    select
                    from pgboss.job j
                    where j.name = b.queue and j.id = b.job_id and j.group_id is distinct from b.tenant::text
                ) then format(
                    'another tenant has a job with this id in queue %L, and pg-boss tells the jobs of a queue apart by their '
                    'ids alone: enqueue it with another id', b.queue)
                else format('queue %L did not let it in, by its policy or for an ended job with this id', b.queue)
            end))))
    from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
    join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    where not exists (
        select
        from pgboss.job j
        where j.name = b.queue and j.id = b.job_id and j.group_id = b.tenant::text and j.state <= 'active');
end
$$;
