-- Take a pass of the mirror, if nobody has within the interval (seconds): since when and until when to look for ends.
create or replace function jobcore.pgboss_mirror_claim(interval_seconds double precision)
returns table (since timestamptz, until timestamptz)
language sql
as $$
    update jobcore.pgboss_mirror m
    set claimed_on = statement_timestamp()
    where coalesce(m.claimed_on <= statement_timestamp() - $1 * interval '1 second', true)
    returning m.ended_to, pgboss.job_now()
$$;
