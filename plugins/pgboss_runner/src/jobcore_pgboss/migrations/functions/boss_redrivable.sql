-- The jobs of a dead letter queue that wait, and fit {"source_name", "data", "created_before", "ids"}; each filter may be
-- missing. Of a strict FIFO queue, none whose key is held by another job.
create or replace function jobcore.boss_redrivable(queue text, filters jsonb) returns setof pgboss.job
language sql stable
as $$
    select j.*
    from pgboss.job j
    where j.name = $1
        and j.state < 'active'
        and not exists (
            select
            from pgboss.job k
            where j.policy = 'key_strict_fifo'
                and k.name = j.name
                and k.singleton_key = j.singleton_key
                and k.policy = 'key_strict_fifo'
                and k.state in ('active', 'retry', 'failed'))
        and ($2 ->> 'source_name' is null or j.source_name = $2 ->> 'source_name')
        and ($2 ->> 'data' is null or j.data @> ($2 -> 'data'))
        and ($2 ->> 'created_before' is null or j.created_on < ($2 ->> 'created_before')::timestamptz)
        and (
            $2 ->> 'ids' is null
            or j.id = any (array(select i.id::uuid from jsonb_array_elements_text($2 -> 'ids') as i (id))))
$$;
