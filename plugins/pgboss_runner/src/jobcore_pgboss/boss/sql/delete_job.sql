with asked as materialized (
    select cast($1 as text) as queue, cast(cast($2 as text) as jsonb) as jobs
),
changed as (
    delete from pgboss.job j
    using asked a
    cross join lateral jobcore.boss_asked(a.jobs) b
    where j.name = a.queue
        and j.id = b.id
        and (b.attempt is null or (j.state = 'active' and j.retry_count = b.attempt))
    returning j.id
)
select cast(
    jobcore.boss_answer(
        (select a.queue from asked a), (select coalesce(array_agg(c.id), cast('{}' as uuid[])) from changed c)) as text)
