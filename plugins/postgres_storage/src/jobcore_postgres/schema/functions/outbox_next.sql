-- How many seconds until a job is to be handed to its engine, negative if it is late; null if none is. What the engine has, and
-- what it is to be told, is looked at every so often anyhow.
create or replace function jobcore.outbox_next(runner text) returns double precision
language sql stable
as $$
    select extract(epoch from min(n.try_at) - statement_timestamp())::double precision
    from generate_series(1, 5) as r (rank)
    cross join lateral (
        select o.try_at
        from jobcore.outbox o
        where o.runner_type = $1 and o.state = 'due' and o.rank = r.rank
        order by o.try_at
        limit 1
    ) n
$$;
