-- Let nobody count for a while if counting took so long (seconds) that it keeps vacuum from its work, by pg-boss's measure:
-- a tenth of autovacuum_naptime. The rest is two naptimes or as long as the counting, up to ten minutes; it only grows.
create or replace function jobcore.pgboss_monitor_rest(seconds double precision)
returns table (naptime_seconds double precision, rest_until timestamptz)
language sql
as $$
    update pgboss.version v
    set monitor_backoff_on = greatest(
        v.monitor_backoff_on,
        pgboss.job_now() + least(greatest(2 * n.naptime, least($1, 600)), 3600) * interval '1 second')
    from (
        select extract(epoch from current_setting('autovacuum_naptime')::interval)::double precision as naptime
    ) n
    where $1 > 0.1 * n.naptime
    returning n.naptime, v.monitor_backoff_on
$$;
