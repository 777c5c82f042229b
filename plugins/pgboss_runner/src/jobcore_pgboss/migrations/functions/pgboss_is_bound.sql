-- Whether the policy of one of these queues says which of its jobs may run beside one another.
create or replace function jobcore.pgboss_is_bound(queues text[]) returns boolean
language sql stable
as $$
    select exists (
        select
        from pgboss.queue q
        where q.name = any ($1) and q.policy in ('singleton', 'stately', 'key_strict_fifo'))
$$;
