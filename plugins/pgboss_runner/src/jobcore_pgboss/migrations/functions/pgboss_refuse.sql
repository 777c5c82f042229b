-- Say why a queue's policy let one of these jobs not in, as `pgboss_enqueue` takes them. Always raises.
create or replace function jobcore.pgboss_refuse(jobs jsonb) returns boolean
language plpgsql
as $$
declare
    q record;
begin
    perform jobcore.pgboss_refuse_taken($1);

    select b.name, b.policy into q
    from jsonb_to_recordset($1) as i (queue text, type text)
    join pgboss.queue b on b.name = coalesce(i.queue, i.type)
    where b.policy in ('short', 'stately', 'exclusive', 'key_strict_fifo')
    limit 1;

    if q.policy = 'key_strict_fifo' then
        raise exception using
            errcode = 'check_violation',
            message = format('queue %L has the policy key_strict_fifo: pg-boss takes only jobs with a singletonKey', q.name),
            hint = 'Send it with PgBoss.send, which knows singleton_key, or use a queue with another policy.';
    end if;
    if q.policy is null then
        raise exception using
            errcode = 'unique_violation',
            message = 'one of these jobs stands in pg-boss''s queue under its id already, and not in jobs',
            hint = 'Give it another id.';
    end if;
    raise exception using
        errcode = 'unique_violation',
        message = format(
            'queue %L has the policy %s: pg-boss refuses another job while one is %s',
            q.name, q.policy, case q.policy when 'exclusive' then 'waiting or running' else 'waiting' end),
        hint = 'Enqueue it when that one has gone on, or use a queue with the policy standard.';
end
$$;
