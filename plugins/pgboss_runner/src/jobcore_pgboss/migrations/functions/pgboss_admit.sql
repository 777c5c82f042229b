-- Take jobs into the queue, in the order of a JSON array of {tenant, job_id, options?, since?}, which their times of creation
-- keep. What their rows are told beside stands in `options`, or with their admission, as `pgboss_enqueue` got it; attempts that
-- they have had are counted on. One that has waited elsewhere `since` an instant keeps its place.
-- One that the queue does not take fails, and holds up no other.
create or replace function jobcore.pgboss_admit(jobs jsonb) returns void
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
    taken integer;
begin
    perform jobcore.pgboss_ensure_queues(jsonb_agg(jsonb_build_object('name', w.queue)))
    from (
        select distinct b.queue
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        where not exists (select from pgboss.queue q where q.name = b.queue)
    ) w
    having count(*) > 0;

    insert into pgboss.job (
        id, name, priority, data, state, retry_limit, retry_count, retry_delay, retry_backoff, retry_delay_max,
        expire_seconds, deletion_seconds, group_id, start_after, created_on, keep_until, policy, dead_letter,
        heartbeat_seconds)
    select
        b.job_id, q.name, b.priority, b.payload, case when b.attempt > 0 then 'retry' else 'created' end::pgboss.job_state,
        b.max_attempts - 1, b.attempt, coalesce(e.retry_delay, q.retry_delay),
        coalesce(e.retry_backoff, q.retry_backoff), coalesce(e.retry_delay_max, q.retry_delay_max),
        coalesce(e.expire_seconds, least(ceil(e.timeout_ms / 1000) + 60, 86400), q.expire_seconds),
        q.deletion_seconds, b.tenant::text, greatest(b.run_at, statement_timestamp()),
        coalesce(g.since, pgboss.job_now()) + g.ord * interval '1 microsecond',
        greatest(b.run_at, statement_timestamp()) + q.retention_seconds * interval '1 second', q.policy, q.dead_letter,
        coalesce(e.heartbeat_seconds, q.heartbeat_seconds)
    from rows from (
        jsonb_to_recordset($1) as (tenant uuid, job_id uuid, options jsonb, since timestamptz)
    ) with ordinality as g (tenant, job_id, options, since, ord)
    join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
    join pgboss.queue q on q.name = b.queue
    cross join lateral jsonb_to_record(coalesce(g.options, nullif(b.admission -> 'engine', 'null'), '{}')) as e (
        retry_delay integer, retry_backoff boolean, retry_delay_max integer, expire_seconds integer,
        heartbeat_seconds integer, timeout_ms double precision)
    on conflict do nothing;
    get diagnostics taken = row_count;
    if taken < jsonb_array_length($1) then
        perform jobcore.pgboss_not_taken($1);
    end if;

    perform pg_notify(jobcore.pgboss_channel(), r.name)
    from (
        select distinct q.name
        from jsonb_to_recordset($1) as g (tenant uuid, job_id uuid)
        join public.jobs b on b.tenant = g.tenant and b.job_id = g.job_id
        join pgboss.queue q on q.name = b.queue and q.notify
    ) r;
end
$$;
