-- The live instances of Node that work a queue. Its version of the language begins with a v, ours does not.
select distinct i.host, i.pid
from pgboss.instance i
cross join lateral jsonb_array_elements(i.workers) w
where i.stopped_on is null
    and starts_with(i.node_version, 'v')
    and i.heartbeat_on > pgboss.job_now() - 3 * i.heartbeat_seconds * interval '1 second'
    and w ->> 'queue' = %(queue)s
order by i.host, i.pid
