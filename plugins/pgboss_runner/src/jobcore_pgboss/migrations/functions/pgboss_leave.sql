-- Take a job that has not begun out of the queue, for it is another engine's now; answers what its row was told. Null, and it
-- stays, if it means something to pg-boss: it was sent by Node, or with a key, a flow, a tier or a dead letter queue.
create or replace function jobcore.pgboss_leave(tenant uuid, job_id uuid) returns jsonb
language plpgsql
as $$
declare
    its_queue text;
    sent_by_node boolean;
    told jsonb;
begin
    select b.queue, coalesce(b.metadata ->> 'trigger' = 'pg-boss', false)
    into its_queue, sent_by_node
    from public.jobs b
    where b.tenant = $1 and b.job_id = $2;
    if sent_by_node then
        return null;
    end if;
    delete from pgboss.job j
    where j.name = its_queue
        and j.id = $2
        and j.singleton_key is null
        and j.singleton_on is null
        and j.group_tier is null
        and j.dead_letter is null
        and not j.blocked
        and not j.blocking
    returning jsonb_build_object(
        'retry_delay', j.retry_delay,
        'retry_backoff', j.retry_backoff,
        'retry_delay_max', j.retry_delay_max,
        'expire_seconds', j.expire_seconds)
    into told;
    if found then
        return told;
    end if;
    return case when not exists (select from pgboss.job j where j.name = its_queue and j.id = $2) then '{}'::jsonb end;
end
$$;
