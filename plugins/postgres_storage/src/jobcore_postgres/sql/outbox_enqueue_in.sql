-- Enqueue on a connection of the application's, if it leads to the given place (see connection_facts.sql); answer where it
-- leads, and the jobs in order. Each argument stands here once, in their order: not all drivers number them.
select json_build_object(
    'place', here.place,
    'database', current_database(),
    'jobs', case when here.place = cast($1 as text) then (
        select json_agg(json_build_array(e.job_id, e.inserted) order by e.ord)
        from jobcore.outbox_enqueue_tenant_or_engine(cast(cast($2 as text) as jsonb)) e)
    end) #>> '{}'
from (select extract(epoch from pg_postmaster_start_time()) || '/' || current_database() as place) here
