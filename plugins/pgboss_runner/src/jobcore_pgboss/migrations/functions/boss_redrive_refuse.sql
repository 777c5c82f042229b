-- Fail a dead letter that could not be sent once more, with the reason; of a key of a strict FIFO queue only the first, as
-- one failed job holds it.
create or replace function jobcore.boss_redrive_refuse(dead pgboss.job, destination text) returns void
language plpgsql
as $$
begin
    if exists (
        select
        from pgboss.job k
        where $1.policy = 'key_strict_fifo'
            and k.name = $1.name
            and k.singleton_key = $1.singleton_key
            and k.policy = 'key_strict_fifo'
            and k.state in ('active', 'retry', 'failed'))
    then
        return;
    end if;
    if jobcore.boss_has('source_output') then
        execute 'update pgboss.job set source_output = coalesce(source_output, output) where name = $1 and id = $2'
        using $1.name, $1.id;
    end if;
    update pgboss.job j
    set state = 'failed',
        completed_on = pgboss.job_now(),
        output = jsonb_build_object(
            'message', format(
                'Not redriven: queue %s already has a job %s under its %s policy', q.name,
                coalesce('with singletonKey ' || $1.singleton_key, 'this one conflicts with'),
                coalesce(q.policy, 'standard')),
            'reason', 'redrive_conflict',
            'destination', q.name,
            'policy', q.policy,
            'singletonKey', $1.singleton_key)
    from pgboss.queue q
    where j.name = $1.name and j.id = $1.id and q.name = $2;
end
$$;
