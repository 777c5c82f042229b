-- Take the next pass over flows, if nobody has within the interval (seconds), here or in Node.
create or replace function jobcore.pgboss_flow_claim(interval_seconds double precision) returns setof boolean
language sql
as $$
    update pgboss.version v
    set flow_on = pgboss.job_now()
    where coalesce(v.flow_on <= pgboss.job_now() - $1 * interval '1 second', true)
    returning true
$$;
