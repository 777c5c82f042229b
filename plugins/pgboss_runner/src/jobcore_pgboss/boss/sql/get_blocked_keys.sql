-- The keys of a strict FIFO queue that a failed job holds. Null, if there is no such queue; false, if it has another policy.
with asked as materialized (
    select cast($1 as text) as name, cast(cast($2 as text) as jsonb) as wanted
),
held as (
    select distinct j.singleton_key
    from asked a
    join pgboss.job j on j.name = a.name and j.state = 'failed' and j.policy = 'key_strict_fifo'
    where a.wanted -> 'after' is null or j.singleton_key > a.wanted ->> 'after'
    order by j.singleton_key
    limit (select cast(a.wanted ->> 'limit' as integer) from asked a)
)
select cast(
    coalesce(
        (select case when q.policy = 'key_strict_fifo' then held_keys.found else 'false' end
        from pgboss.queue q
        join asked a on a.name = q.name
        cross join lateral (
            select coalesce(jsonb_agg(h.singleton_key order by h.singleton_key), '[]') as found from held h
        ) held_keys),
        'null') as text)
