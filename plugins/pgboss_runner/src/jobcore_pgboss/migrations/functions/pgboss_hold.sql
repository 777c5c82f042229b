-- Of rows that a worker has just claimed, take those that a pause holds up out of the queue, and return the others. What is
-- taken out waits for its admission, with what its row said; jobs that Node sent get their rows in `jobs` first. Rows that
-- mean something to pg-boss as long as they are there, for a flow or a throttle, stay, and run.
create or replace function jobcore.pgboss_hold(claimed pgboss.job[]) returns pgboss.job[]
language plpgsql
as $$
#variable_conflict use_column
declare
    held pgboss.job[];
    going pgboss.job[];
begin
    select array_agg(c) filter (where h.is_held), array_agg(c) filter (where not h.is_held)
    into held, going
    from unnest($1) c
    left join public.jobs b on b.tenant = jobcore.pgboss_tenant(c.group_id, c.data) and b.job_id = c.id
    cross join lateral (
        select not starts_with(c.name, '__pgboss__')
            and not c.blocking
            and c.singleton_on is null
            and jobcore.admission_is_paused(
                jobcore.pgboss_tenant(c.group_id, c.data), coalesce(b.type, c.name), c.name) as is_held
    ) h;
    if held is null then
        return $1;
    end if;

    perform jobcore.pgboss_adopt(jsonb_agg(jsonb_build_object('name', h.name, 'id', h.id)))
    from unnest(held) h
    where not exists (
        select from public.jobs b where b.tenant = jobcore.pgboss_tenant(h.group_id, h.data) and b.job_id = h.id)
    having count(*) > 0;

    update public.jobs b
    set status = 'pending',
        admission = coalesce(b.admission, jsonb_build_object('lane', 'free', 'width', 500, 'gates', '[]'::jsonb)) ||
            jsonb_build_object('engine', jsonb_build_object(
                'retry_delay', h.retry_delay, 'retry_backoff', h.retry_backoff, 'retry_delay_max', h.retry_delay_max,
                'expire_seconds', h.expire_seconds)),
        updated_at = statement_timestamp()
    from unnest(held) h
    where b.tenant = jobcore.pgboss_tenant(h.group_id, h.data)
        and b.job_id = h.id
        and b.status in ('queued', 'active', 'processing');

    delete from pgboss.job j
    using unnest(held) h
    where j.name = h.name and j.id = h.id;

    perform jobcore.admission_release(
        array_agg(jobcore.pgboss_tenant(h.group_id, h.data)), array_agg(h.id))
    from unnest(held) h;
    return going;
end
$$;
