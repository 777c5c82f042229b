-- The part of `pgboss_enqueue` for jobs that have to be admitted: what the queue is then told of each is kept with it.
create or replace function jobcore.pgboss_enqueue_later(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    its_policy text;
    its_queue text;
    waiting jsonb;
    made jsonb;
begin
    select q.name, q.policy into its_queue, its_policy
    from jsonb_to_recordset($1) as i (queue text, type text)
    join pgboss.queue q on q.name = coalesce(i.queue, i.type)
    where q.policy in ('short', 'stately', 'exclusive', 'key_strict_fifo')
    limit 1;
    if found then
        raise exception using
            errcode = 'check_violation',
            message = format(
                'queue %L has the policy %s, which decides itself who may wait in it: jobs with limits, parents or a pause '
                'cannot enter it later', its_queue, its_policy),
            hint = 'Use a queue with the policy standard.';
    end if;

    perform jobcore.pgboss_refuse_taken($1);

    select jsonb_agg(
        jsonb_set(e.element, '{admission,engine}', jsonb_build_object(
            'retry_delay', e.element -> 'retry_delay',
            'retry_backoff', e.element -> 'retry_backoff',
            'retry_delay_max', e.element -> 'retry_delay_max',
            'expire_seconds', e.element -> 'expire_seconds',
            'heartbeat_seconds', e.element -> 'heartbeat_seconds'))
        order by e.ord)
    into waiting
    from jsonb_array_elements($1) with ordinality as e (element, ord);

    select jsonb_agg(jsonb_build_object('ord', n.ord, 'job_id', n.job_id, 'inserted', n.inserted))
    into made
    from jobcore.job_new(waiting) n;
    perform jobcore.admission_add(jsonb_agg(waiting -> m.ord - 1 order by m.ord))
    from jsonb_to_recordset(made) as m (ord integer, inserted boolean)
    where m.inserted
    having count(*) > 0;

    return query
        select m.ord, m.job_id, m.inserted
        from jsonb_to_recordset(made) as m (ord integer, job_id uuid, inserted boolean);
end
$$;
